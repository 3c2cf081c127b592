"""All pages: the sign-in and confirmation links for everybody, the others behind it."""

from fastapi import APIRouter, Depends

from agi_server.web.console import (
    bulk,
    business,
    calls,
    campaigns,
    confirmation,
    customer,
    customer_calls,
    customer_ending,
    customer_form,
    customer_money,
    customer_phones,
    customers,
    dids,
    groups,
    rates,
    reports,
    series,
    sign_in,
    tariffs,
)
from agi_server.web.console.access import check_access


def console_routes() -> APIRouter:
    """The router of the console."""
    everybody = APIRouter()
    everybody.include_router(sign_in.router)
    everybody.include_router(confirmation.router)
    signed_in = APIRouter(dependencies=[Depends(check_access)])
    for module in (
        customers, bulk, customer_form, customer, customer_money, customer_calls, customer_ending,
        customer_phones,
        calls, dids, reports, rates, tariffs, business, groups, series, campaigns,
    ):  # fmt: skip
        signed_in.include_router(module.router)
    everybody.include_router(signed_in)
    return everybody
