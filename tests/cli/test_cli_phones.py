import re
from collections.abc import Callable

from command_line import Finished

Command = Callable[..., Finished]


def test_a_phone_is_created_listed_renewed_exported_and_removed(shop: Command) -> None:
    made = shop("phone", "create", "1000000001", "--json").json
    assert "sip" == made["technology"]
    assert re.fullmatch("[a-z0-9]{10}", made["user_name"])
    renewed = shop("phone", "secret", "1000000001", "--json").json
    assert made["user_name"] == renewed["user_name"]
    assert made["secret"] != renewed["secret"]
    (listed,) = shop("phone", "list", "--customer", "1000000001", "--json").json
    assert (made["user_name"], False) == (listed["user_name"], listed["registered"])
    exported = shop("phone", "export").out
    assert f"[{made['user_name']}]" in exported
    assert "accountcode=1000000001" in exported
    assert renewed["secret"] not in exported
    assert f"removed {made['user_name']}\n" == shop("phone", "remove", "1000000001").out
    assert [] == shop("phone", "list", "--json").json


def test_an_account_has_one_phone_of_each_technology(shop: Command) -> None:
    assert 0 == shop("phone", "create", "1000000001").exit_code
    again = shop("phone", "create", "1000000001")
    assert (1, "agi-server: the customer has a SIP phone already\n") == (again.exit_code, again.err)
    assert 0 == shop("phone", "create", "1000000001", "--technology", "iax").exit_code
    assert "requirecalltoken=yes" in shop("phone", "export", "--technology", "iax").out


def test_what_is_not_there_is_said(shop: Command) -> None:
    for verb in ("secret", "remove"):
        done = shop("phone", verb, "1000000001")
        assert (1, "agi-server: the customer has no SIP phone\n") == (done.exit_code, done.err)


def test_a_customers_fields_make_and_remove_its_phones(shop: Command) -> None:
    made = shop("customer", "create", "--plan", "standard", "--create-sip", "--json").json
    assert {"sip_user", "sip_secret", "sip_device_token"} <= made.keys()
    named = f"id:{made['id']}"
    (phone,) = shop("phone", "list", "--customer", named, "--json").json
    assert made["sip_user"] == phone["user_name"]
    both = shop("customer", "update", named, "--create-iax")
    assert "iax secret: " in both.err
    assert "sip" not in both.err
    shop("customer", "update", named, "--no-create-sip", "--no-create-iax")
    assert [] == shop("phone", "list", "--customer", named, "--json").json
