"""Makes the import files of the demo, the same bytes every time: `python tests/data/make.py`."""

from __future__ import annotations

import csv
import io
import zipfile
from datetime import datetime, timedelta
from pathlib import Path

from openpyxl import Workbook
from openpyxl.styles import Font

HERE = Path(__file__).parent
MADE_AT = datetime(2026, 11, 2, 8, 0)  # noqa: DTZ001 (spreadsheets know no zones)

CUSTOMER_HEADINGS = (
    "Código", "Nombre", "País", "Departamento", "Ciudad", "Dirección", "Teléfono", "Correo electrónico",
    "Sede", "Dirección de la sede", "Latitud", "Longitud",
)  # fmt: skip
PLACES = (
    ("Cundinamarca", "Bogotá D.C.", 4.6533, -74.0836),
    ("Antioquia", "Medellín", 6.2442, -75.5812),
    ("Valle del Cauca", "Cali", 3.4516, -76.5320),
    ("Atlántico", "Barranquilla", 10.9685, -74.7813),
    ("Santander", "Bucaramanga", 7.1193, -73.1227),
    ("Bolívar", "Cartagena de Indias", 10.3910, -75.4794),
    ("Caldas", "Manizales", 5.0689, -75.5174),
    ("Norte de Santander", "Cúcuta", 7.8939, -72.5078),
    ("Quindío", "Armenia", 4.5339, -75.6811),
    ("Boyacá", "Tunja", 5.5353, -73.3678),
)
NAMES = (
    "Panadería La Espiga Dorada S.A.S.",
    "Clínica Nuestra Señora del Rosario",
    "Edificio Torres del Río P.H.",
    "Supermercados El Ahorro Ltda.",
    "Colegio Jesús María Peñalosa",
    "Hotel Boutique Casa Ibáñez",
    "Droguerías Salud y Más",
    "Café Origen Pitalito S.A.S.",
    "Centro Comercial Los Búcaros",
    "Frigorífico del Caribe S.A.",
    "Notaría Única de Ibagué",
    "Gimnasio Fuerza Viva",
    "Restaurante El Fogón de la Abuela",
    "Transportes Rápido Ochoa Muñoz",
    "Cooperativa Cafetera de Caldas",
    "Ferretería Núñez Hermanos",
    "Laboratorio Clínico Bioanálisis",
    "Universidad Autónoma del Quindío",
    "Parqueaderos Andinos S.A.S.",
    "Librería Páginas Abiertas",
    "Veterinaria San Agustín",
    "Lavandería Agua Clara",
    "Óptica Visión Íntegra",
    "Muebles y Diseño Güiza",
    "Estación de Servicio La Y",
)
SITES = ("Sede principal", "Sede norte", "Bodega", "Punto de atención", "Sótano técnico")
STREETS = ("Calle 72 # 10-34", "Carrera 43A # 1-50", "Avenida 6N # 25-14", "Transversal 54 # 21A-30")
ODD_ROWS = {
    8: ("901.555.008-1", "", "Colombia", "Tolima", "Ibagué", "Carrera 3 # 12-40", "", "", "", "", "", ""),
    17: (
        "901.555.017-4", "Distribuidora Ñame & Yuca", "Colombia", "Córdoba", "Montería", "Calle 29 # 4-18",
        "+57 604 555 0117", "ventas(arroba)nameyyuca.example", "Bodega", "Calle 30 # 2-10", "8.7479", "-275.8814",
    ),
}  # fmt: skip

TASK_HEADINGS = (
    "Título", "Descripción", "Proceso", "Subproceso", "Código del cliente", "Sede", "Inicio", "Fin", "Prioridad",
)  # fmt: skip
JOBS = (
    ("Mantenimiento del ascensor", "Revisar poleas, frenos y botonera; dejar constancia del estado."),
    ("Revisión del tablero eléctrico", "Medir aislamiento y reapretar bornes; foto antes y después."),
    ("Limpieza del aire acondicionado", "Cambiar filtros y lavar el serpentín; medir consumo."),
    ("Prueba de la planta eléctrica", "Arranque con carga durante 20 minutos; registrar horómetro."),
    ("Inspección de la red contra incendio", "Presión de la línea, mangueras y extintores; informar vencidos."),
    ("Calibración de la báscula", "Con pesas patrón; pegar el sello y anotar la desviación."),
    ("Revisión de la cámara frigorífica", "Temperatura, empaques y desagüe; atención a la alarma."),
    ("Lectura de medidores", "Agua, gas y energía; «sin acceso» también se anota."),
)
PRIORITIES = ("Normal", "Alta", "Baja", "Urgente", "Normal")


def code(number: int) -> str:
    """The tax id of the n-th customer."""
    return f"900.{100 + number * 7:03d}.{number * 31 % 1000:03d}-{number % 10}"


def customers() -> list[tuple[object, ...]]:
    """25 rows that are good and, in between, two that are not."""
    rows: list[tuple[object, ...]] = []
    for number, name in enumerate(NAMES, start=1):
        department, city, lat, lon = PLACES[number % len(PLACES)]
        rows.append(
            (
                code(number),
                name,
                "Colombia",
                department,
                city,
                STREETS[number % len(STREETS)],
                f"+57 601 555 {number:04d}",
                f"contacto{number:02d}@cliente{number:02d}.example",
                SITES[number % len(SITES)],
                f"Carrera {number + 5} # {number + 20}-{number + 30}",
                round(lat + number / 1_000, 6),
                round(lon - number / 1_000, 6),
            )
        )
    for place, odd in ODD_ROWS.items():
        rows.insert(place, odd)
    return rows


def tasks() -> list[tuple[str, ...]]:
    """40 rows that are good and, in between, two that are not."""
    rows: list[tuple[str, ...]] = []
    morning = datetime(2026, 12, 1, 8, 0)  # noqa: DTZ001 (the account's wall clock)
    for number in range(40):
        title, description = JOBS[number % len(JOBS)]
        customer = number % len(NAMES) + 1
        start = morning + timedelta(days=number // 5, hours=number % 5 * 2)
        rows.append(
            (
                f"{title} – visita {number + 1}",
                description,
                "Mantenimiento",
                "Mantenimiento preventivo",
                code(customer),
                SITES[customer % len(SITES)],
                start.strftime("%d/%m/%Y %H:%M"),
                (start + timedelta(minutes=90)).strftime("%d/%m/%Y %H:%M"),
                PRIORITIES[number % len(PRIORITIES)],
            )
        )
    unknown = (*rows[3][:4], "999.999.999-9", "", *rows[3][6:])
    backwards = (*rows[20][:6], "15/12/2026 10:00", "15/12/2026 08:00", "Cuando se pueda")
    rows.insert(12, ("Visita a cliente sin registrar", *unknown[1:]))
    rows.insert(30, ("Visita con horario imposible", *backwards[1:]))
    return rows


def workbook() -> bytes:
    """The customers as XLSX; the package's clock times are fixed afterwards."""
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = "Clientes"
    for row in (CUSTOMER_HEADINGS, *customers()):
        sheet.append(list(row))
    for cell in sheet[1]:
        cell.font = Font(bold=True)
    sheet.freeze_panes = "A2"
    book.properties.creator = "CheckOP"
    made = io.BytesIO()
    book.save(made)
    return _timeless(made.getvalue())


def _timeless(package: bytes) -> bytes:
    fixed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(package)) as made, zipfile.ZipFile(fixed, "w", zipfile.ZIP_DEFLATED) as out:
        for part in made.infolist():
            content = made.read(part)
            if part.filename == "docProps/core.xml":
                content = _dated(content.decode()).encode()
            out.writestr(zipfile.ZipInfo(part.filename, MADE_AT.timetuple()[:6]), content, zipfile.ZIP_DEFLATED)
    return fixed.getvalue()


def _dated(properties: str) -> str:
    before, *moments = properties.split('W3CDTF">')
    stamp = MADE_AT.strftime("%Y-%m-%dT%H:%M:%SZ")
    return before + "".join(f'W3CDTF">{stamp}{moment[moment.index("<") :]}' for moment in moments)


def table() -> bytes:
    """The tasks as CSV the way Excel writes it in Colombia: semicolons, UTF-8 with a byte order mark."""
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=";").writerows([TASK_HEADINGS, *tasks()])
    return text.getvalue().encode("utf-8-sig")


if __name__ == "__main__":
    (HERE / "customers.xlsx").write_bytes(workbook())
    (HERE / "tasks.csv").write_bytes(table())
