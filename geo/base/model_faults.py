"""Faults: what is wrong with keys and values, where a pydantic model says what they should be.

Of a file, a message that names the key and what is allowed; of what a request or a form gave, each name with a reason.
"""

import difflib
import re
from collections.abc import Mapping, Sequence
from types import UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from geo.errors import Fault, InvalidParameter, InvalidParameters
from geo.messages import Message

_KINDS = {
    "str": "text",
    "list": "list",
    "tuple": "list",
    "int": "number",
    "float": "number",
    "bool": "boolean",
}

_TELLING = {"extra_forbidden": 0, "too_short": 0, "missing": 2}

_LIMITS = {
    "greater_than": ("key_not_above", "gt"),
    "greater_than_equal": ("key_too_small", "ge"),
    "less_than": ("key_not_below", "lt"),
    "less_than_equal": ("key_too_large", "le"),
}

Noun = Literal["indicator", "profile"]


def describe_fault(  # noqa: PLR0911 (a sentence each)
    error: ValidationError, model: type[BaseModel], noun: Noun
) -> Message:
    """The first thing wrong with what should have been a `model`, which people call by the noun, as a clause."""
    # A key that is misspelt is also missing: the misspelling says more.
    first = min(error.errors(), key=lambda each: _TELLING.get(each["type"], 1))
    key, annotation = _follow(first["loc"], model)
    where = ".".join(key)
    match first["type"]:
        case "value_error":
            said = _said(first["ctx"]["error"])
            return Message("key_faulty", key=where, fault=said) if where and where not in str(said) else said
        case "missing" if len(key) > 1:
            return Message("key_missing_in", key=".".join(key[:-1]), missing=key[-1])
        case "missing":
            return Message("key_missing", missing=key[-1])
        case "extra_forbidden":
            return _unknown_key(first["loc"], model, noun)
        case "too_short" | "string_too_short":
            return Message("key_empty", key=where)
        case "string_too_long":
            return Message("key_too_long", key=where, most=first["ctx"]["max_length"])
        case "too_long":
            return Message("key_too_many", key=where, most=first["ctx"]["max_length"])
        case kind if kind in _LIMITS:
            code, known_as = _LIMITS[kind]
            return Message(code, key=where, limit=first["ctx"][known_as])
    return Message("key_none_of", key=where, allowed=_allowed(annotation))


def _said(error: ValueError) -> Message:
    """What a validator found wrong: our own say it by a code, those of libraries in their own words."""
    return error.message if isinstance(error, Fault) else Message("key_unusable", reason=str(error))


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


def _unknown_key(loc: Sequence[int | str], model: type[BaseModel], noun: Noun) -> Message:
    outer, annotation = _follow(loc[:-1], model)
    table, key = _container(annotation), (*outer, str(loc[-1]))
    known = list(table.model_fields)
    near = difflib.get_close_matches(key[-1], known, n=1)
    if near:
        return Message("key_unknown_near", key=".".join(key), noun=noun, nearest=near[0])
    return Message("key_unknown", key=".".join(key), noun=noun, known=known)


def _allowed(annotation: Any) -> list[str]:
    """What may stand where an annotation is: values in quotes, and kinds of values."""
    members = _members(annotation)
    if any(_is_model(member) or get_origin(member) is dict for member in members):
        return ["table"]
    choices = [repr(value) for member in members if get_origin(member) is Literal for value in get_args(member)]
    kinds = [said for kind, said in _KINDS.items() if kind in map(_kind, members)]
    return list(dict.fromkeys([*choices, *kinds]))


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
    """What pydantic found wrong with a parameter; `name` is its name, in parts."""
    return InvalidParameter(".".join(map(str, name)), _reason(fault))


_REASONS: Mapping[str, str] = {
    "missing": "parameter_required",
    **dict.fromkeys(("int_parsing", "int_parsing_size", "int_from_float", "int_type"), "parameter_not_whole"),
    **dict.fromkeys(("float_parsing", "float_type", "finite_number"), "parameter_not_number"),
    **dict.fromkeys(("bool_parsing", "bool_type"), "parameter_not_boolean"),
    "string_type": "parameter_not_text",
    "json_invalid": "parameter_not_json",
    "extra_forbidden": "parameter_not_known_here",
}
"""What is wrong with a parameter, by pydantic's kind of fault."""


_BOUNDS: Mapping[str, tuple[str, str, str]] = {
    "greater_than_equal": ("parameter_too_small", "least", "ge"),
    "less_than_equal": ("parameter_too_large", "most", "le"),
    "string_too_long": ("parameter_too_long", "most", "max_length"),
}
"""The same of bounds: the code, and its parameter by its name and by pydantic's."""


def _reason(fault: Mapping[str, Any]) -> Message:
    told = fault.get("ctx", {})
    match fault["type"]:
        case "missing" if fault["loc"][-1] == "mode":
            # Its name alone does not tell what is asked.
            return Message("parameter_mode_required")
        case kind if kind in _BOUNDS:
            code, name, known_as = _BOUNDS[kind]
            return Message(code, **{name: told[known_as]})
        case "literal_error":
            return Message("parameter_none_of", allowed=_QUOTED.findall(told["expected"]))
        case "value_error":
            return _said(told["error"])
    return Message(_REASONS.get(fault["type"], "parameter_not_valid"))


_QUOTED = re.compile(r"'([^']*)'")
