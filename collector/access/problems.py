"""Errors over HTTP as problem details (RFC 9457): ``type`` about:blank, plus ``code`` for programs."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import OperationalError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse

from collector.errors import Refused

log = logging.getLogger(__name__)
PROBLEM_TYPE = "application/problem+json"


def problem(refused: Refused) -> JSONResponse:
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(refused.status).phrase,
        "status": refused.status,
        "detail": refused.detail,
        "code": refused.code,
    }
    return JSONResponse(
        body | refused.fields, status_code=refused.status, headers=refused.headers, media_type=PROBLEM_TYPE
    )


def not_found(kind: str, name: str) -> Refused:
    """Also for what is there but not the caller's: a stranger must not learn which names exist."""
    return Refused(404, "not_found", f"No {kind} {name!r} here, or it is not yours to see.")


def add_problem_handlers(app: FastAPI) -> None:
    """Every refusal of the application, ours and the framework's, becomes problem details."""

    def refused(_request: Request, why: Exception) -> JSONResponse:
        assert isinstance(why, Refused)
        return problem(why)

    def http(_request: Request, why: Exception) -> JSONResponse:
        assert isinstance(why, HTTPException)
        code = HTTPStatus(why.status_code).name.lower()
        return problem(Refused(why.status_code, code, str(why.detail), headers=why.headers))

    def invalid(_request: Request, why: Exception) -> JSONResponse:
        assert isinstance(why, RequestValidationError)
        errors = [
            {"where": ".".join(str(part) for part in error["loc"]), "message": error["msg"]} for error in why.errors()
        ]
        detail = "; ".join(f"{error['where']}: {error['message']}" for error in errors)
        return problem(Refused(422, "bad_request", detail, fields={"errors": errors}))

    def away(_request: Request, why: Exception) -> JSONResponse:
        log.error("a request could not be answered without the database", extra={"error": str(why)[:200]})
        detail = "The database does not answer; nothing of this request was kept. Send it again shortly."
        return problem(Refused(503, "database_away", detail, headers={"Retry-After": "5"}))

    app.add_exception_handler(Refused, refused)
    app.add_exception_handler(OperationalError, away)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(RequestValidationError, invalid)
