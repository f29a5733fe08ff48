"""The policy file says what it must, or is refused with its file, its key and what was meant."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from ringfence.enforcement.policy.read import default_policy, parse_policy, read_policy
from ringfence.enforcement.policy.records import UNATTENDED, Allow, BrakeSettings, Mode, Needs
from ringfence.enforcement.policy.tables import read_span
from ringfence.errors import PolicyError
from ringfence.records import Action, Role

TIER = """
[[tiers]]
action = "suspend"
needs = "verdict"
least_probability = 0.9
"""
ALLOW = """
[[allow]]
org = "org_1"
who = "licensed partner"
reason = "Contract."
owner = "ada"
expires = 2027-01-31
"""


def test_the_policy_that_ships_holds_where_there_is_no_file(tmp_path: Path) -> None:
    policy = read_policy(tmp_path / "policy.toml")
    assert policy.mode is Mode.LIVE
    assert policy.brake == BrakeSettings(3.0, 5, 14)
    bans = [tier for tier in policy.tiers if tier.action is Action.BAN]
    assert [tier.needs for tier in bans] == [Needs.TWO_PERSONS]
    assert {tier.action for tier in policy.tiers if tier.needs is Needs.NOBODY} <= set(UNATTENDED)


def test_what_ships_can_be_written_down_and_read_again(tmp_path: Path) -> None:
    path = tmp_path / "policy.toml"
    path.write_text(default_policy())
    assert read_policy(path, needed=True) == read_policy(tmp_path / "none.toml")


def test_what_is_left_out_has_a_usual_value() -> None:
    policy = parse_policy('mode = "shadow"\n' + TIER + ALLOW, "p")
    (tier,) = policy.tiers
    assert (tier.least_score, tier.roles, tier.least_families, tier.least_size, tier.expires) == (
        0.9,
        (Role.CORE, Role.MEMBER),
        2,
        0,
        None,
    )
    assert policy.allow == (Allow("org", "org_1", "licensed partner", "Contract.", "ada", date(2027, 1, 31)),)
    assert policy.mode is Mode.SHADOW


def test_what_is_given_is_taken() -> None:
    policy = parse_policy(
        'mode = "live"\n[[tiers]]\naction = "rate-limit"\nneeds = "nobody"\nleast_probability = 1\n'
        'least_score = 0.5\nroles = ["core", "core"]\nleast_families = 3\nleast_size = 20\nexpires = "12h"\n'
        "[brake]\nfactor = 2\nleast_runs = 3\nwindow = 3\n",
        "p",
    )
    (tier,) = policy.tiers
    assert (tier.least_probability, tier.least_score, tier.roles) == (1.0, 0.5, (Role.CORE,))
    assert (tier.least_families, tier.least_size, tier.expires) == (3, 20, timedelta(hours=12))
    assert policy.brake == BrakeSettings(2.0, 3, 3)


def test_a_policy_without_tiers_does_nothing() -> None:
    assert parse_policy('mode = "live"', "p").tiers == ()


def test_domains_are_spelled_one_way() -> None:
    policy = parse_policy('mode = "live"' + ALLOW.replace('org = "org_1"', 'email_domain = "@Ex.COM"'), "p")
    assert policy.allow[0].value == "ex.com"


def test_an_entry_holds_to_the_end_of_its_last_day() -> None:
    (entry,) = parse_policy('mode = "live"' + ALLOW, "p").allow
    assert entry.holds(datetime(2027, 1, 31, 23, 59, tzinfo=UTC))
    assert not entry.holds(datetime(2027, 2, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("mode = ", "p is not TOML"),
        ("", "p, mode: is missing"),
        ("mod = 'live'", "unknown key 'mod'. Did you mean 'mode'"),
        ("mode = 'live'\nzzz = 1", "unknown key 'zzz'. It takes mode, tiers"),
        ("mode = 'shadw'", "'shadw'; it must be one of live, shadow. Did you mean 'shadow'"),
        ("mode = 1", "must be a text in quotes"),
        ("mode = ' '", "must be a text in quotes"),
        ("mode = 'live'\ntiers = 3", "write each entry as [[tiers]]"),
        ("mode = 'live'\ntiers = [3]", "write each entry as [[tiers]]"),
        ("mode = 'live'\nbrake = 3", "write it as [brake]"),
        ("mode = 'live'\n[brake]\nfactr = 3", "[brake]: unknown key 'factr'. Did you mean 'factor'"),
        ("mode = 'live'\n[brake]\nfactor = 0.5", "a number from 1 to"),
        ("mode = 'live'\n[brake]\nfactor = 1", "must be above 1"),
        ("mode = 'live'\n[brake]\nfactor = true", "must be a number"),
        ("mode = 'live'\n[brake]\nfactor = nan", "must be a number"),
        ("mode = 'live'\n[brake]\nwindow = 2.5", "a whole number of at least 1"),
        ("mode = 'live'\n[brake]\nwindow = true", "a whole number of at least 1"),
        ("mode = 'live'\n[brake]\nwindow = 0", "a whole number of at least 1"),
        ("mode = 'live'\n[brake]\nwindow = 2", "fewer than least_runs, 5"),
    ],
)
def test_a_malformed_file_is_refused(text: str, said: str) -> None:
    with pytest.raises(PolicyError) as raised:
        parse_policy(text, "p")
    assert said in str(raised.value)
    assert raised.value.exit_code == 2


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('action = "suspend"', 'action = "suspent"', "[[tiers]] 1, action: is 'suspent'"),
        ('action = "suspend"', 'action = "review"', "nothing that can be ordered: monitor"),
        ('needs = "verdict"', 'needs = "nobody"', "suspend needs a person"),
        ('needs = "verdict"', "", "needs: is missing"),
        ('needs = "verdict"', 'need = "verdict"', "Did you mean 'needs'"),
        ("least_probability = 0.9", "", "least_probability: is missing"),
        ("least_probability = 0.9", "least_probability = 90", "is 90; it must be a number from 0 to 1"),
        ("least_probability = 0.9", 'least_probability = "0.9"', "must be a number"),
        ('needs = "verdict"', 'needs = "verdict"\nroles = ["bystander"]', "bystanders are never enforced"),
        ('needs = "verdict"', 'needs = "verdict"\nroles = ["cor"]', "Did you mean 'core'"),
        ('needs = "verdict"', 'needs = "verdict"\nroles = [1]', "is 1; it must be one of core"),
        ('needs = "verdict"', 'needs = "verdict"\nroles = []', "must be a list of core"),
        ('needs = "verdict"', 'needs = "verdict"\nroles = "core"', "must be a list of core"),
        ('needs = "verdict"', 'needs = "verdict"\nexpires = "soon"', "like '12h', '90d' or '4w'"),
        ('needs = "verdict"', 'needs = "verdict"\nexpires = 90', "like '12h', '90d' or '4w'"),
    ],
)
def test_a_malformed_tier_is_refused(old: str, new: str, said: str) -> None:
    assert old in TIER
    with pytest.raises(PolicyError) as raised:
        parse_policy('mode = "live"' + TIER.replace(old, new), "p")
    assert said in str(raised.value)


@pytest.mark.parametrize("action", ["ban", "suspend"])
def test_nobody_is_locked_out_without_a_person(action: str) -> None:
    text = TIER.replace("suspend", action).replace('"verdict"', '"nobody"')
    with pytest.raises(PolicyError, match=f"{action} needs a person"):
        parse_policy('mode = "live"' + text, "p")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('org = "org_1"', "", "names one of them; found none"),
        ('org = "org_1"', 'org = "o"\naccount = "a"', "found account and org"),
        ('org = "org_1"', "org = 3", "[[allow]] 1, org: must be a text"),
        ('owner = "ada"', "", "owner: is missing"),
        ("expires = 2027-01-31", "", "expires: is missing"),
        ("expires = 2027-01-31", 'expires = "2027-01-31"', "a date without quotes"),
        ("expires = 2027-01-31", "expires = 2027-01-31T00:00:00Z", "a date without quotes"),
        ("who", "whom", "unknown key 'whom'. Did you mean 'who'"),
    ],
)
def test_a_malformed_entry_of_the_allow_list_is_refused(old: str, new: str, said: str) -> None:
    assert old in ALLOW
    with pytest.raises(PolicyError) as raised:
        parse_policy('mode = "live"' + ALLOW.replace(old, new), "p")
    assert said in str(raised.value)


def test_a_file_that_cannot_be_read_is_no_policy(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="Cannot read the policy"):
        read_policy(tmp_path)
    with pytest.raises(PolicyError, match="No such file"):
        read_policy(tmp_path / "none.toml", needed=True)
    (tmp_path / "latin.toml").write_bytes(b"mode = '\xff'")
    with pytest.raises(PolicyError, match="is not TOML"):
        read_policy(tmp_path / "latin.toml")


@pytest.mark.parametrize(
    ("text", "days"), [("12h", 0.5), ("90d", 90), ("4w", 28), ("0d", None), ("d", None), ("9m", None)]
)
def test_spans_of_time(text: str, days: float | None) -> None:
    assert read_span(text) == (None if days is None else timedelta(days=days))
