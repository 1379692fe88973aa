"""A report as long as they get: twenty-four answers, eighteen photos, two signatures, in both languages."""

from __future__ import annotations

import hashlib
import io
import math
import random
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from PIL import Image, ImageDraw, ImageFilter

from services.media.reports.paper import (
    Amendment,
    Answers,
    Block,
    Chart,
    Company,
    File,
    Files,
    Group,
    Heading,
    Language,
    Line,
    Missing,
    Note,
    Paper,
    Photos,
    Remark,
    Said,
    Signature,
    Spot,
    Step,
)

AT = datetime(2026, 11, 23, 15, 12, tzinfo=UTC)
ZONE = "America/Bogota"
WHO = "Íngrid Muñoz Peñaranda"
REPORT_ID = "5b1c6a52-8f0e-5c7d-9a3b-2d1f00c0ffee"


LONG: Mapping[Language, str] = {
    "es": (
        "Se limpió el condensador con cepillo y agua a baja presión; se encontró el drenaje parcialmente obstruido por "
        "residuos de empaque y se despejó. La vibración proviene del soporte delantero derecho: se reapretó, pero "
        "conviene cambiar el antivibratorio en la próxima visita.\n\nSe recomienda programar el cambio del empaque de "
        "la puerta antes del 15 de diciembre: la escarcha en la esquina superior indica entrada de aire húmedo."
    ),
    "en": (
        "The condenser was cleaned with brush and low-pressure water; the drain was partly blocked by debris and "
        "was cleared. The vibration comes from the front right mount: tightened, but the damper should be replaced at "
        "the next visit.\n\nThe door gasket should be replaced before 15 December: frost in the upper corner shows "
        "that humid air gets in."
    ),
}


def on(language: Language, day: int, clock: str) -> str:
    """A moment of that November."""
    return f"{day} {'nov' if language == 'es' else 'Nov'} 2026, {clock}"


def media_id(n: int) -> str:
    """An id as content gets it."""
    return f"sha256:{hashlib.sha256(str(n).encode()).hexdigest()}"


@lru_cache(maxsize=64)
def photo(n: int, width: int = 1600, height: int = 1200, quality: int = 82) -> bytes:
    """A machine room, more or less: light, pipes, a gauge, and the grain of a small sensor."""
    dice = random.Random(n)
    tone = dice.randrange(360)
    sky = Image.linear_gradient("L").resize((width, height))
    base = Image.merge(
        "HSV", (Image.new("L", (width, height), tone * 255 // 360), Image.new("L", (width, height), 60), sky)
    )
    picture = base.convert("RGB")
    draw = ImageDraw.Draw(picture)
    for _ in range(9):
        x, wide = dice.randrange(width), dice.randrange(width // 40, width // 10)
        colour = tuple(dice.randrange(60, 210) for _ in range(3))
        draw.rectangle((x, dice.randrange(height // 2), x + wide, height), fill=colour, outline=(30, 34, 40), width=4)
    middle, size = (width * dice.uniform(0.35, 0.65), height * dice.uniform(0.35, 0.6)), min(width, height) // 6
    draw.ellipse(
        (middle[0] - size, middle[1] - size, middle[0] + size, middle[1] + size),
        fill=(240, 240, 236),
        outline=(40, 44, 50),
        width=10,
    )
    angle = dice.uniform(0.5, 2.6)
    draw.line(
        (*middle, middle[0] + size * 0.8 * math.cos(angle), middle[1] - size * 0.8 * math.sin(angle)),
        fill=(190, 30, 30),
        width=12,
    )
    grain = Image.effect_noise((width, height), 26).convert("RGB")
    picture = Image.blend(picture, grain, 0.16).filter(ImageFilter.GaussianBlur(0.8))
    return _encoded(picture, "JPEG", quality=quality)


@lru_cache(maxsize=8)
def strokes(n: int, width: int = 900, height: int = 320) -> bytes:
    """A signature as a phone draws it: dark on nothing."""
    dice = random.Random(n)
    picture = Image.new("RGBA", (width, height), (0, 0, 0, 0))
    draw = ImageDraw.Draw(picture)
    phases = [dice.uniform(0, 6) for _ in range(3)]
    points = [
        (
            60 + (width - 120) * t / 400 + 26 * math.sin(t / 9 + phases[0]),
            height / 2 + 80 * math.sin(t / 13 + phases[1]) * math.exp(-t / 500) + 22 * math.sin(t / 5 + phases[2]),
        )
        for t in range(400)
    ]
    draw.line(points, fill=(22, 32, 60, 255), width=7, joint="curve")
    return _encoded(picture, "PNG")


@lru_cache(maxsize=1)
def logo() -> bytes:
    """The mark of a company."""
    picture = Image.new("RGBA", (720, 180), (0, 0, 0, 0))
    draw = ImageDraw.Draw(picture)
    draw.rounded_rectangle((4, 4, 176, 176), 40, fill=(18, 74, 140, 255))
    draw.arc((44, 44, 136, 136), 40, 320, fill=(255, 255, 255, 255), width=22)
    for n, wide in enumerate((430, 300)):
        draw.rounded_rectangle((210, 46 + 54 * n, 210 + wide, 78 + 54 * n), 16, fill=(18, 74, 140, 255 - 90 * n))
    return _encoded(picture, "PNG")


def images(photos: int = 18) -> Mapping[str, bytes]:
    """The pictures of the long report."""
    shots = {f"photo-{n}": photo(n) for n in range(photos)}
    return {**shots, "client": strokes(1), "technician": strokes(2), "logo": logo()}


def paper(language: Language = "es", photos: int = 18) -> Paper:
    """The long report."""
    es = language == "es"

    def t(spanish: str, english: str) -> str:
        return spanish if es else english

    return Paper(
        kind="task",
        language=language,
        report_id=REPORT_ID,
        company=Company(
            name="Refrigeración Ñandú & Hijos S.A.S.",
            logo="logo",
            footer=t(
                "NIT 900.123.456-7 · Calle 100 # 8A-55, Bogotá · Línea de servicio 601 555 0199",
                "Tax id 900.123.456-7 · Calle 100 # 8A-55, Bogotá · Service line 601 555 0199",
            ),
        ),
        title=t("Mantenimiento preventivo del cuarto frío 2", "Preventive maintenance of cold room 2"),
        code=t("Tarea 0199f3ac", "Task 0199f3ac"),
        state="completed",
        state_name=t("Completada", "Completed"),
        stage=t("Entregado al cliente", "Handed over"),
        facts=(
            Line(name=t("Cliente", "Customer"), text="Supermercados La Cosecha Añeja Ltda."),
            Line(name=t("Técnico", "Technician"), text=WHO),
            Line(name=t("Sede", "Location"), text="Bodega principal Zona Industrial"),
            Line(name=t("Programado", "Scheduled"), text=t("23 nov 2026, 08:00 – 11:00", "23 Nov 2026, 08:00 – 11:00")),
            Line(name=t("Dirección", "Address"), text="Carrera 50 # 12-34, Puente Aranda, Bogotá, Colombia"),
            Line(name=t("Iniciado", "Started"), text=on(language, 23, "08:14")),
            Line(
                name=t("Equipo", "Equipment"),
                text="Unidad condensadora Bitzer 4PES-15Y\nSerie BZ-2019-004471 · Modelo 4PES",
            ),
            Line(name=t("Completado", "Completed"), text=on(language, 23, "10:07")),
            Line(name=t("Orden de compra", "Purchase order"), text="OC-2026-11873"),
        ),
        description=t(
            "Revisión trimestral según contrato: limpieza del condensador, presiones, consumo eléctrico, estado de "
            "empaques y drenajes. Avisar en recepción y usar el ingreso por el muelle 3.",
            "Quarterly check under contract: condenser cleaning, pressures, power draw, gaskets and drains. "
            "Report at reception and use dock 3.",
        ),
        steps=(
            Step(name=t("Creada", "Opened"), state="pending", at=on(language, 20, "16:40"), by="Laura Gómez"),
            Step(name=t("En camino", "On the way"), state="in_progress", at=on(language, 23, "07:31"), by=WHO),
            Step(name=t("En sitio", "On site"), state="in_progress", at=on(language, 23, "08:14"), by=WHO),
            Step(
                name=t("Entregado al cliente", "Handed over"), state="completed", at=on(language, 23, "10:07"), by=WHO
            ),
        ),
        chart=Chart(
            radius_m=100,
            spots=(
                Spot(number=None, lat=4.62872, lon=-74.11185, name=t("Sitio del trabajo", "Work site")),
                Spot(
                    number=1,
                    lat=4.62861,
                    lon=-74.11153,
                    accuracy_m=12,
                    name=t("En sitio", "On site"),
                    at="08:14",
                    away=t("a 37 m del sitio", "37 m from the site"),
                ),
                Spot(
                    number=2,
                    lat=4.62874,
                    lon=-74.11172,
                    accuracy_m=8,
                    name=t("Inspección de cuarto frío", "Cold room inspection"),
                    at="09:58",
                    away=t("a 15 m del sitio", "15 m from the site"),
                ),
                Spot(
                    number=3,
                    lat=4.62912,
                    lon=-74.11252,
                    accuracy_m=25,
                    name=t("Punto de drenaje", "Drain point"),
                    at="09:20",
                    away=t("a 87 m del sitio", "87 m from the site"),
                ),
            ),
        ),
        remarks=(
            Remark(
                at=on(language, 23, "09:41"),
                by=WHO,
                text=t("El portero pide carné de la ARL vigente.", "The doorman asks for a valid insurance card."),
            ),
        ),
        answers=(_inspection(language, photos),),
    )


def small(language: Language = "es") -> Paper:
    """A form with one answer, of a company without a logo."""
    said = Said(
        label="¿Quedó operando?" if language == "es" else "Is it running?", text="Sí" if language == "es" else "Yes"
    )
    return Paper(
        kind="submission",
        language=language,
        report_id=REPORT_ID,
        company=Company(name="Progresus Demo"),
        title="Verificación" if language == "es" else "Check",
        state="completed",
        state_name="Completa" if language == "es" else "Complete",
        answers=(Answers(form="Verificación", blocks=(said,)),),
    )


def _inspection(language: Language, photos: int) -> Answers:
    es = language == "es"

    def t(spanish: str, english: str) -> str:
        return spanish if es else english

    shots = [_shot(n, language) for n in range(photos)]
    blocks: list[Block] = [
        Heading(text=t("Ingreso", "Arrival")),
        Said(label=t("Persona que recibe", "Received by"), text="Don Álvaro Güiza"),
        Said(label=t("Teléfono", "Phone"), text="+57 310 555 0142"),
        Said(
            label=t("Correo", "E-mail"),
            text="alvaro.guiza@una-direccion-larguisima-que-se-parte-en-varias-lineas.ejemplo.com.co",
        ),
        Said(label=t("Código del equipo", "Equipment code"), text="https://equipos.ejemplo.co/e/BZ-2019-004471"),
        Said(label=t("Hora de ingreso", "Arrival time"), text="08:14"),
        Said(label=t("Fecha del último mantenimiento", "Last maintenance"), text=t("21 ago 2026", "21 Aug 2026")),
        Heading(text=t("Medidas", "Readings")),
        Said(label=t("Presión de succión (psi)", "Suction pressure (psi)"), text=t("28,5", "28.5")),
        Said(label=t("Presión de descarga (psi)", "Discharge pressure (psi)"), text="212"),
        Said(label=t("Temperatura del cuarto (°C)", "Room temperature (°C)"), text=t("-18,4", "-18.4")),
        Said(label=t("Consumo (A)", "Current (A)"), text=t("14,2", "14.2")),
        Said(label=t("Refrigerante", "Refrigerant"), text="R-404A"),
        Said(label=t("Carga calculada (kg)", "Computed charge (kg)"), text=t("3,75", "3.75")),
        Said(label=t("Estado general", "General condition"), text=t("Bueno con observaciones", "Good with remarks")),
        Said(
            label=t("Hallazgos", "Findings"),
            text=t(
                "Empaque desgastado; Drenaje obstruido; Vibración leve", "Worn gasket; Blocked drain; Slight vibration"
            ),
        ),
        Said(label=t("Observaciones", "Remarks"), long=True, text=LONG[language]),
        Note(text=t("Las fotos deben mostrar la placa y el manómetro.", "Photos must show the plate and the gauge.")),
        _photos(t("Fotos del equipo", "Photos of the equipment"), shots[:8]),
        Heading(text=t("Evaporadores", "Evaporators")),
        *(
            Group(
                label=t("Evaporador", "Evaporator"),
                number=n + 1,
                of=2,
                blocks=(
                    Said(label=t("Serie", "Serial"), text=f"EV-{n + 1:03d}-2020"),
                    Said(label=t("Ventiladores en marcha", "Fans running"), text=str(3 - n)),
                    Said(label=t("Escarcha", "Frost"), text=t("Leve", "Slight") if n else t("Ninguna", "None")),
                    _photos(t("Fotos", "Photos"), shots[8 + n * 4 : 12 + n * 4]),
                ),
            )
            for n in range(2)
        ),
        Heading(text=t("Cierre", "Closing")),
        _photos(t("Antes y después", "Before and after"), shots[16:18]),
        Said(
            label=t("Punto de drenaje", "Drain point"),
            text=t("4,62912° N, 74,11252° O (±25 m)", "4.62912° N, 74.11252° W (±25 m)"),
            link="https://www.openstreetmap.org/",
        ),
        Files(
            label=t("Nota de voz del cliente", "Client's voice memo"),
            link="https://app.checkop.co/submissions/0199f3ac",
            files=(File(id=media_id(901), name=t("Nota de voz", "Voice memo"), about=("0:42 min", "310 kB")),),
        ),
        Files(
            label=t("Video de arranque", "Start-up video"),
            link="https://app.checkop.co/submissions/0199f3ac",
            files=(File(id=media_id(902), name="arranque.mp4", image="photo-3", about=("0:18 min", "6,2 MB")),),
        ),
        Files(
            label=t("Certificado de calibración", "Calibration certificate"),
            files=(
                File(
                    id=media_id(903),
                    name="certificado-2026.pdf",
                    status="missing",
                    why=t("aún no recibido", "not received yet"),
                    about=("PDF",),
                ),
            ),
        ),
        Signature(
            label=t("Firma del cliente", "Client's signature"),
            role=t("Cliente", "Client"),
            signed_by="Álvaro Güiza Nariño",
            file=File(id=media_id(904), image="client", about=(on(language, 23, "10:05"),)),
        ),
        Signature(
            label=t("Firma del técnico", "Technician's signature"),
            role=t("Técnico", "Technician"),
            signed_by=WHO,
            file=File(id=media_id(905), image="technician", about=(on(language, 23, "10:06"),)),
        ),
    ]
    missing = t("aún no recibido", "not received yet")
    return Answers(
        form=t("Inspección de cuarto frío", "Cold room inspection"),
        lines=(
            Line(name=t("Respondido por", "Filled in by"), text=WHO),
            Line(name=t("Respondido el", "Filled in on"), text=on(language, 23, "09:58")),
            Line(name=t("Versión", "Version"), text="3"),
        ),
        received=photos + 4,
        declared=photos + 5,
        missing=(
            Missing(
                label=t("Certificado de calibración", "Calibration certificate"),
                status="missing",
                why=missing,
                id=media_id(903),
            ),
        ),
        amendments=(
            Amendment(
                number=1,
                at=on(language, 23, "11:20"),
                by="Laura Gómez",
                reason=t("Serie corregida con la placa.", "Serial corrected from the plate."),
            ),
        ),
        blocks=tuple(blocks),
    )


def _photos(label: str, shots: list[File]) -> Photos:
    across = 2 if len(shots) in (1, 2, 4) else 3
    rows = tuple(tuple(shots[n : n + across]) for n in range(0, len(shots), across))
    return Photos(label=label, rows=rows, across=across)


def _shot(n: int, language: Language) -> File:
    local = AT - timedelta(hours=5) - timedelta(minutes=110 - 5 * n)
    month = "nov" if language == "es" else "Nov"
    place = "4,62874° N, 74,11172° O" if language == "es" else "4.62874° N, 74.11172° W"
    return File(id=media_id(n), image=f"photo-{n}", about=(f"{local.day} {month} 2026, {local:%H:%M}", place))


def _encoded(picture: Image.Image, format: str, **options: int) -> bytes:
    into = io.BytesIO()
    picture.save(into, format, **options)
    return into.getvalue()
