"""What is sent to change an incident, as JSON."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from collector.incidents.asked import TEXT_CHARS

Text = Annotated[str, Field(min_length=1, max_length=TEXT_CHARS)]
Name = Annotated[str, Field(max_length=64)]


class Acknowledge(BaseModel):
    """``for``: the id of the person it is acknowledged for (대리 인지)."""

    model_config = ConfigDict(populate_by_name=True)
    for_: Name = Field("", alias="for")


class Assign(BaseModel):
    to: Name = ""


class Snooze(BaseModel):
    """One of both."""

    minutes: int | None = Field(None, ge=1, le=7 * 1440)
    until: datetime | None = None


class Merge(BaseModel):
    into: int = Field(ge=1)


class Summon(BaseModel):
    """``team``: its id."""

    team: Name


class Comment(BaseModel):
    """``is_action``: it says what was done (조치)."""

    text: Text
    is_action: bool = False


class Explain(BaseModel):
    cause: Annotated[str, Field(max_length=TEXT_CHARS)] = ""
    prevention: Annotated[str, Field(max_length=TEXT_CHARS)] = ""
