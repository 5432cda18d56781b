"""Specs from YAML or JSON files, with faults told by the path of the field."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import ValidationError

from datagen.errors import SpecError
from datagen.faults import describe_faults
from schemas.base import Spec
from schemas.job import JobSpec

AnySpec = TypeVar("AnySpec", bound=Spec)

MAX_BYTES = 4 * 2**20


class SpecLoader(yaml.SafeLoader):
    """Safe YAML whose floats include `1e-3`, which YAML 1.1 takes for a string, and whose dates, which
    no field of a spec is, stay the text of a name.

    A key that comes twice in a mapping is a fault; plain YAML would drop the first one in silence.
    """

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        """Compose a mapping; merge keys (`<<`) are not in it yet, and may be overridden."""
        node = super().compose_mapping_node(anchor)
        seen: dict[tuple[str, str], yaml.Mark] = {}
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                continue
            first = seen.setdefault((key.tag, key.value), key.start_mark)
            if first is not key.start_mark:
                raise yaml.composer.ComposerError(
                    f"{key.value!r} is given",
                    first,
                    "and given again; give it once",
                    key.start_mark,
                )
        return node


SpecLoader.yaml_implicit_resolvers = {
    first: [(tag, form) for tag, form in known if not tag.endswith(":timestamp")]
    for first, known in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
SpecLoader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?(?:\d[\d_]*(?:\.\d*)?(?:[eE][-+]?\d+)?|\.\d+(?:[eE][-+]?\d+)?|\.(?:inf|nan))$", re.I),
    list("-+0123456789."),
)  # fmt: skip


def parse_json(text: str | bytes) -> Any:
    """JSON whose objects hold every name once.

    Raises:
        ValueError: the text is no JSON, or a name comes twice in an object.
        RecursionError: it is nested too deeply.
    """
    return json.loads(text, object_pairs_hook=_unique)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    whole: dict[str, Any] = {}
    for name, value in pairs:
        if name in whole:
            raise ValueError(f"{name!r} is given more than once in one object; give it once")
        whole[name] = value
    return whole


def load_spec(path: Path) -> JobSpec:
    """Read and check a job; paths inside it stay relative to the file's folder.

    Raises:
        SpecError: the file is missing, too large, not YAML, or a field is wrong.
    """
    return parse_as(JobSpec, load_yaml(path), source=str(path))


def load_yaml(path: Path) -> dict[str, Any]:
    """A mapping from a YAML or JSON file.

    Raises:
        SpecError: the file is missing, too large, not YAML, or no mapping.
    """
    if not path.is_file():
        seen = "is a folder" if path.is_dir() else "no such file"
        raise SpecError(f"{path}: {seen}; expected YAML or JSON")
    if path.stat().st_size > MAX_BYTES:
        raise SpecError(f"{path}: {path.stat().st_size:,} bytes; expected at most {MAX_BYTES:,}")
    kind = "JSON" if path.suffix == ".json" else "YAML"
    try:
        text = path.read_text(encoding="utf-8")
        data = parse_json(text) if kind == "JSON" else _parse_yaml(text, path.name)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise SpecError(f"{path}: not valid {kind}: {error}") from error
    if not isinstance(data, dict):
        seen = "is empty" if data is None else f"holds {repr(data)[:40]}"
        raise SpecError(f"{path}: {seen}; expected a mapping of names to values")
    return data


def _parse_yaml(text: str, name: str) -> Any:
    loader = SpecLoader(text)
    loader.name = name  # for errors
    try:
        return loader.get_single_data()
    finally:
        loader.dispose()


def parse_settings(settings: Iterable[str]) -> dict[str, Any]:
    """`["flipud=false", "polls=41"]` -> `{"flipud": False, "polls": 41}`: values are YAML.

    Raises:
        SpecError: one of them is not `option=value`.
    """
    options = {}
    for setting in settings:
        name, equals, value = setting.partition("=")
        try:
            if not name or not equals:
                raise ValueError("no option=")
            options[name] = yaml.load(value, Loader=SpecLoader)
        except (yaml.YAMLError, ValueError) as error:
            raise SpecError(
                f"{setting!r} is no setting; expected option=value, such as flipud=false or "
                "threshold_on=0.15"
            ) from error
    return options


def parse_as(kind: type[AnySpec], data: dict[str, Any], *, source: str) -> AnySpec:
    """Check plain data against a spec.

    Raises:
        SpecError: one line per fault: field path, what was seen, what was expected.
    """
    try:
        return kind.model_validate(data)
    except ValidationError as error:
        lines = [f"{source}: {line}" for line in describe_faults(error, kind)]
        raise SpecError("\n".join(lines)) from error
