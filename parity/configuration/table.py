"""What every table of parity.toml is: strictly typed, frozen, and without keys that nobody knows."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from parity.errors import did_you_mean, nearest_names


class Table(BaseModel):
    """A TOML table: frozen, strictly typed, and every key known."""

    # defer_build: a table is part of the file's one validator and needs none of its own.
    model_config = ConfigDict(
        defer_build=True, frozen=True, strict=True, extra="forbid", populate_by_name=True
    )

    @model_validator(mode="before")
    @classmethod
    def _know_every_key(cls, data: Any) -> Any:
        if isinstance(data, dict):
            known = {field.alias or name for name, field in cls.model_fields.items()}
            for key in data:
                if key not in known:
                    hint = (
                        did_you_mean(nearest_names(str(key), known))
                        or f"known keys: {', '.join(sorted(known))}"
                    )
                    raise PydanticCustomError("unknown_key", "unknown key", {"key": str(key), "hint": hint})
        return data


Words = Annotated[tuple[str, ...], Field(strict=False)]
