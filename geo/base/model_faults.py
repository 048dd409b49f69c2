"""Faults: what is wrong with keys and values, where a pydantic model says what they should be.

Of a file, a sentence that names the key and what is allowed; of what a request or a form gave, each name with a reason.
"""

import difflib
from collections.abc import Mapping, Sequence
from types import UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from geo.errors import InvalidParameter, InvalidParameters

_KINDS = {
    "str": "a text",
    "list": "a list",
    "tuple": "a list",
    "int": "a number",
    "float": "a number",
    "bool": "true or false",
}

_TELLING = {"extra_forbidden": 0, "too_short": 0, "missing": 2}

_LIMITS = {"greater_than": "gt", "greater_than_equal": "ge", "less_than": "lt", "less_than_equal": "le"}
_SAID = {"gt": "more than", "ge": "at least", "lt": "less than", "le": "at most"}


def describe_fault(error: ValidationError, model: type[BaseModel], noun: str) -> str:
    """The first thing wrong with what should have been a `model`, which people call by the noun."""
    # A key that is misspelt is also missing: the misspelling says more.
    first = min(error.errors(), key=lambda each: _TELLING.get(each["type"], 1))
    key, annotation = _follow(first["loc"], model)
    where = ".".join(key)
    limit = _LIMITS.get(first["type"])
    match first["type"]:
        case "value_error":
            said = str(first["ctx"]["error"])
            sentence = f"{where}: {said}" if where and where not in said else said
        case "missing":
            sentence = f"{'.'.join(key[:-1]) or 'it'} does not say its {key[-1]}"
        case "extra_forbidden":
            sentence = _unknown_key(first["loc"], model, noun)
        case "too_short" | "string_too_short":
            sentence = f"{where} is empty"
        case "string_too_long":
            sentence = f"{where} is longer than {first['ctx']['max_length']:,} letters"
        case "too_long":
            sentence = f"{where} has more than {first['ctx']['max_length']}"
        case _ if limit is not None:
            sentence = f"{where} must be {_SAID[limit]} {first['ctx'][limit]:g}"
        case _:
            sentence = f"{where} must be {_allowed(annotation)}"
    return sentence


def _follow(loc: Sequence[int | str], model: type[BaseModel]) -> tuple[tuple[str, ...], Any]:
    """The key an error is at, as the file writes it, and what may stand there."""
    annotation: Any = model
    key: list[str] = []
    for part in loc:
        whole, annotation = annotation, _container(annotation)
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            known = annotation.model_fields.get(str(part))
            annotation = known.annotation if known else None
        elif get_origin(annotation) in (dict, list, tuple):
            if isinstance(part, str) and get_origin(annotation) is not dict:
                return tuple(key), whole
            annotation = get_args(annotation)[1 if get_origin(annotation) is dict else 0]
        else:
            return tuple(key), whole
        key.append(str(part + 1) if isinstance(part, int) else part)
    return tuple(key), annotation


def _container(annotation: Any) -> Any:
    """What an annotation holds keys in, without its Annotated and None."""
    if get_origin(annotation) is Annotated:
        return _container(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        members = [_container(member) for member in get_args(annotation)]
        return next((m for m in members if get_origin(m) in (dict, list, tuple) or _is_model(m)), annotation)
    return annotation


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _unknown_key(loc: Sequence[int | str], model: type[BaseModel], noun: str) -> str:
    outer, annotation = _follow(loc[:-1], model)
    table, key = _container(annotation), (*outer, str(loc[-1]))
    known = list(table.model_fields)
    near = difflib.get_close_matches(key[-1], known, n=1)
    return f"{'.'.join(key)} is no key of {noun}; " + (
        f"the nearest is {near[0]}" if near else f"here it may have {', '.join(known)}"
    )


def _allowed(annotation: Any) -> str:
    """What may stand where an annotation is."""
    members = _members(annotation)
    if any(_is_model(member) or get_origin(member) is dict for member in members):
        return "a table"
    choices = [repr(value) for member in members if get_origin(member) is Literal for value in get_args(member)]
    kinds = [said for kind, said in _KINDS.items() if kind in map(_kind, members)]
    *others, last = dict.fromkeys([*choices, *kinds])
    return f"{', '.join(others)} or {last}" if others else last


def _members(annotation: Any) -> list[Any]:
    if get_origin(annotation) is Annotated:
        return _members(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        return [each for member in get_args(annotation) for each in _members(member)]
    return [annotation]


def _kind(annotation: Any) -> str:
    kind = get_origin(annotation) or annotation
    return str(getattr(kind, "__name__", ""))


Model = TypeVar("Model", bound=BaseModel)


def validated(model: type[Model], given: Mapping[str, Any]) -> Model:
    """What was given, as the model has it.

    Raises:
        InvalidParameters: some of it is missing, unknown or not valid.
    """
    try:
        return model.model_validate(given)
    except ValidationError as error:
        raise InvalidParameters([invalid_parameter(fault, fault["loc"]) for fault in error.errors()]) from None


def invalid_parameter(fault: Mapping[str, Any], name: Sequence[object]) -> InvalidParameter:
    """What pydantic found wrong with a parameter, in plain words; `name` is its name, in parts."""
    reason = _REASONS.get(fault["type"], "is not valid").format(**fault.get("ctx", {}))
    return InvalidParameter(".".join(map(str, name)), reason)


_REASONS: Mapping[str, str] = {
    "missing": "is required",
    **dict.fromkeys(("int_parsing", "int_parsing_size", "int_from_float", "int_type"), "must be a whole number"),
    **dict.fromkeys(("float_parsing", "float_type", "finite_number"), "must be a number"),
    "greater_than_equal": "must be at least {ge:g}",
    "less_than_equal": "must be at most {le:g}",
    "literal_error": "must be {expected}",
    "extra_forbidden": "is not known here",
    "string_type": "must be a text",
    "string_too_long": "must have at most {max_length} characters",
    "json_invalid": "is not JSON",
    **dict.fromkeys(("bool_parsing", "bool_type"), "must be true or false"),
    "value_error": "{error}",
}
"""What is wrong with a parameter, by the kind of fault."""
