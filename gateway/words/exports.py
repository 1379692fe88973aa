"""What exports refuse, of whichever service."""

from __future__ import annotations

from gateway.words import Words

EXPORTS: Words = {
    "export-exists": (409, "Another export has this id already.", "Otra exportación ya tiene este identificador."),
    "export-failed": (
        409,
        "Something went wrong while this export was written; ask for it again.",
        "Algo falló al generar esta exportación; solicítela de nuevo.",
    ),
    "export-format-unknown": (
        422,
        "Evidence is exported as ZIP only.",
        "Las evidencias se exportan solo en ZIP.",
    ),
    "export-gone": (
        410,
        "The file of this export is no longer kept; ask for a new export.",
        "El archivo de esta exportación ya no se conserva; solicite una nueva exportación.",
    ),
    "export-not-ready": (
        409,
        "This export is still being written.",
        "Esta exportación todavía se está generando.",
    ),
    "export-parts-lost": (
        409,
        "Parts of this export were lost while it was written; ask for it again.",
        "Se perdieron partes de esta exportación al generarla; solicítela de nuevo.",
    ),
    "export-too-large": (
        409,
        "There are more files than one package may have; narrow the choice.",
        "Hay más archivos de los que caben en un paquete; acote la selección.",
    ),
    "export-too-wide": (
        409,
        "There are more columns than a sheet can have; ask for it as CSV.",
        "Hay más columnas de las que caben en una hoja; solicítela en CSV.",
    ),
    "range-not-satisfiable": (
        416,
        "The file has no such part.",
        "El archivo no tiene esa parte.",
    ),
    "too-many-exports": (
        429,
        "Too many exports are being written at the same time; try again when one has finished.",
        "Hay demasiadas exportaciones en curso; inténtelo de nuevo cuando termine alguna.",
    ),
}
