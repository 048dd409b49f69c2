"""The text of popups and tooltips: the only place that writes it, and it always escapes.

Folium and Leaflet take a popup's text as HTML, so a settlement named `<img src=x onerror=...>` would run.
Every value that comes from a survey passes through `escape` here before it meets a tag. The result then
travels as JSON beside Folium's script, never in it (see `maps.leaflet.write_document`).
"""

from html import escape as escape_html

from geo.indicators.definitions import Definition
from maps.figures import SettlementFigure
from maps.words import (
    format_count,
    format_interval,
    format_percent,
    format_value,
    of_whom,
    plain_line,
    reason_words,
    rounded_words,
    unserved_words,
)


def escape(text: str) -> str:
    """Text made harmless in HTML, in a quoted attribute and in a JavaScript template literal."""
    return escape_html(text, quote=True).replace("`", "&#96;").replace("${", "&#36;{")


def name_html(text: str) -> str:
    """A name, isolated so that one written from right to left leaves the words around it where they are."""
    return f"<bdi>{escape(text)}</bdi>"


def popup_html(figure: SettlementFigure, definition: Definition, rounded_to: int | None = None) -> str:
    """What a click on a settlement shows: where, the figure, how sure it is, and what stands behind it.

    `rounded_to`: what its counts are rounded to; None where they are exact.
    """
    body = _figure_html(figure, definition, rounded_to) if figure.is_shown else f'<p class="none">{_blank(figure)}</p>'
    return f"<h2>{name_html(figure.name)}</h2>{_where_html(figure)}{body}"


def tooltip_html(figure: SettlementFigure, definition: Definition) -> str:
    """What hovering over a settlement shows: its name and its figure, or why there is none."""
    if figure.value is None:
        return f"<b>{name_html(figure.name)}</b><br>{_blank(figure)}"
    return f"<b>{name_html(figure.name)}</b><br>{_headline_html(figure.value, definition)}"


def _where_html(figure: SettlementFigure) -> str:
    """The settlement's code and ward."""
    parts = [f"Code {name_html(figure.code)}"] if figure.code else []
    if figure.ward_name:
        # Many cities name their wards "Ward 7"; "Ward Ward 7" helps nobody.
        label = "" if figure.ward_name.casefold().startswith("ward") else "Ward "
        parts.append(f"{label}{name_html(figure.ward_name)}")
    return f'<p class="where">{" · ".join(parts)}</p>' if parts else ""


def _headline_html(value: float, definition: Definition) -> str:
    """The figure with its unit: "52 % of households"."""
    if definition.measure != "share":
        return escape(format_value(value, definition))
    return f"{escape(format_percent(value))} of {of_whom(definition)}"


def _figure_html(figure: SettlementFigure, definition: Definition, rounded_to: int | None) -> str:
    """A published figure, its interval, the sentence for everyone, and the counts behind it."""
    if figure.value is None:
        return ""
    lines = [f'<p class="figure">{_headline_html(figure.value, definition)}</p>']
    interval = format_interval(figure.low, figure.high, definition)
    if interval is not None:
        lines.append(f'<p class="interval">{escape(interval)}</p>')
    plain = plain_line(figure, definition)
    if plain is not None:
        lines.append(f'<p class="plain">{escape(plain)}</p>')
    counts = [
        ("Households that answered", figure.n),
        ("Answer not known", figure.n_unknown),
        (unserved_words(definition), figure.unserved),
    ]
    rows = [f"<tr><th>{escape(label)}<td>{format_count(count)}" for label, count in counts if count is not None]
    if rows:
        lines.append(f"<table>{''.join(rows)}</table>")
    if rows and rounded_to:
        lines.append(f'<p class="rounded">{escape(rounded_words(rounded_to))}</p>')
    return "".join(lines)


def _blank(figure: SettlementFigure) -> str:
    """Why there is no figure, escaped: a reason code this version does not know is shown as it is."""
    return escape(reason_words(figure))
