"""Makes a page: a template in the operator's language, with what every page has."""

from datetime import datetime
from functools import cache
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined, pass_context
from jinja2.runtime import Context

from agi_server.observe.masking import mask_account_number
from agi_server.web.auth.roles import Right
from agi_server.web.auth.secrets import csrf_token
from agi_server.web.auth.sign_in import Session
from agi_server.web.console import formats, words
from agi_server.web.console.languages import LANGUAGES, preferred, refusal, supported, translations
from rating.rate_terms import format_stage, rates_by_hours


def page(request: Request, template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """The page of a template, for whoever has signed in, or for nobody."""
    session: Session | None = getattr(request.state, "session", None)
    operator = session.operator if session else None
    language = language_of(request)
    html = (
        _environment(language)
        .get_template(template)
        .render(
            operator=operator,
            rights=frozenset(right.value for right in Right if operator and operator.may(right)),
            csrf=csrf_token(session.token) if session else "",
            language=language,
            zone=operator.timezone if operator else "UTC",
            path=request.url.path,
            notice=words.NOTICES.get(request.query_params.get("done", "")),
            **values,
        )
    )
    return HTMLResponse(html, status, headers={"Content-Language": language})


def language_of(request: Request) -> str:
    """The language of whom the page is for, if that is known, or of whoever has signed in, else of
    the browser."""
    if found := getattr(request.state, "language", None):
        return supported(found)
    session: Session | None = getattr(request.state, "session", None)
    if session:
        return supported(session.operator.language)
    return preferred(request.headers.get("accept-language", ""))


def translated(request: Request, message: str) -> str:
    """A message in that language."""
    return translations(language_of(request)).gettext(message)


@cache
def _environment(language: str) -> Environment:
    environment = Environment(
        loader=PackageLoader("agi_server.web"),
        autoescape=True,
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
    )
    catalogue = translations(language)
    environment.install_gettext_callables(  # type: ignore[attr-defined]  # the extension adds it
        catalogue.gettext, catalogue.ngettext, newstyle=True
    )

    def word(value: object, of: str) -> str:
        message = words.WORDS.get(of, {}).get(value)
        return str(value) if message is None else catalogue.gettext(message)

    environment.filters.update(
        money=lambda micros, currency: formats.money(micros, currency, language),
        number=lambda value: formats.number(value, language),
        percent=lambda basis_points: formats.percent(basis_points, language),
        clock=formats.clock,
        by_hours=rates_by_hours,
        hours=lambda intervals: formats.hours(intervals, language),
        stage=format_stage,
        zfill=str.zfill,
        masked=mask_account_number,
        moment=_moment,
        day=_day,
        calendar_day=lambda value: formats.calendar_day(value, language),
        word=word,
        refusal=lambda message: refusal(message, language),
    )
    environment.globals.update(languages=LANGUAGES)
    return environment


@pass_context
def _day(context: Context, value: datetime) -> str:
    return formats.day(value, context["zone"], context["language"])


@pass_context
def _moment(context: Context, value: datetime | None, zone: str | None = None) -> str:
    """In the operator's zone, or in another, e.g. the customer's."""
    return formats.moment(value, zone or context["zone"], context["language"])
