"""What a tenants file may say, and which rows it becomes."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from typer.testing import CliRunner

from client.commands import app
from client.errors import UsageError
from client.tenants import TenantsTable
from client.tenants_file import read_tenants
from plinth.access.keys import parse_key
from plinth.adapters.dynamodb_items import from_attributes, row
from plinth.contracts.access import NO_BUDGETS, Allowance, CachePolicy, Tier

GOOD = """
[tiers.free]
requests_per_minute = 60
burst = 20
models = ["m"]
max_output_tokens = 400

[tenants.acme]
tier = "free"

[tenants.acme.users.ada]
keys = ["laptop"]
"""


class FakeDynamoDB:
    """As much of a DynamoDB client as the tenants table needs, over a dict."""

    class exceptions:  # noqa: N801 - boto3's own name
        """The client's errors."""

        class ConditionalCheckFailedException(Exception):  # noqa: N818 - boto3's own name
            """The condition of a write did not hold."""

    def __init__(self) -> None:
        self.items: dict[tuple[str, str], dict[str, Any]] = {}

    def put_item(self, *, TableName: str, Item: dict[str, Any]) -> None:  # noqa: N803 - boto3's own names
        self.items[Item["pk"]["S"], Item["sk"]["S"]] = Item

    def get_item(self, *, TableName: str, Key: dict[str, Any], ConsistentRead: bool) -> dict[str, Any]:  # noqa: N803
        found = self.items.get((Key["pk"]["S"], Key["sk"]["S"]))
        return {"Item": found} if found else {}

    def delete_item(self, *, TableName: str, Key: dict[str, Any]) -> None:  # noqa: N803
        self.items.pop((Key["pk"]["S"], Key["sk"]["S"]), None)

    def query(self, *, ExpressionAttributeValues: dict[str, Any], **_: object) -> dict[str, Any]:  # noqa: N803
        tenant, prefix = (ExpressionAttributeValues[name]["S"] for name in (":tenant", ":prefix"))
        return {"Items": [item for (pk, sk), item in self.items.items() if pk == tenant and sk.startswith(prefix)]}

    def update_item(self, *, Key: dict[str, Any], ExpressionAttributeValues: dict[str, Any], **more: str) -> None:  # noqa: N803
        key = (Key["pk"]["S"], Key["sk"]["S"])
        if key not in self.items and "ConditionExpression" in more:
            raise self.exceptions.ConditionalCheckFailedException
        self.items.setdefault(key, {"pk": Key["pk"], "sk": Key["sk"]})
        for name in more["UpdateExpression"].partition(" REMOVE ")[2].split():
            self.items[key].pop(name, None)
        self.items[key] |= {name[1:]: value for name, value in ExpressionAttributeValues.items()}

    def of_kind(self, prefix: str) -> list[dict[str, Any]]:
        return [item for (pk, _), item in self.items.items() if pk.startswith(prefix)]


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "tenants.toml"
    path.write_text(text)
    return path


def table_over(fake: FakeDynamoDB) -> TenantsTable:
    return TenantsTable(cast("Any", fake), table="t", environment="local")


def test_a_tenants_row_spells_out_its_tier_as_the_api_reads_it(tmp_path: Path) -> None:
    fake = FakeDynamoDB()

    list(table_over(fake).apply(read_tenants(written(tmp_path, GOOD))))

    stored = from_attributes(fake.items["TENANT#acme", "TENANT"]["tier"]["M"])
    expected = Tier(name="free", requests_per_minute=60, burst=20, models=("m",), max_output_tokens=400)
    assert replace(row(stored, Tier), budgets=NO_BUDGETS) == expected


@pytest.mark.guarantee_b
def test_budgets_are_stored_in_micro_dollars_under_a_revision_that_rises(tmp_path: Path) -> None:
    fake = FakeDynamoDB()
    text = GOOD + "\n[tiers.free.budgets]\ntenant = { day_usd = 2, month_usd = 10.25 }\nkey = { day_usd = 0.000001 }\n"

    list(table_over(fake).apply(read_tenants(written(tmp_path, text))))

    budgets = row(from_attributes(fake.items["TENANT#acme", "TENANT"]["tier"]["M"]), Tier).budgets
    assert budgets.tenant == Allowance(day_micro_usd=2_000_000, month_micro_usd=10_250_000)
    assert (budgets.user, budgets.key) == (Allowance(), Allowance(day_micro_usd=1))
    assert budgets.revision > 1_700_000_000_000


@pytest.mark.parametrize("allowed", ["{ day_usd = -1 }", "{ week_usd = 1 }", "{ day_usd = 1e9 }", '{ day_usd = "1" }'])
def test_a_budget_that_cannot_be_meant_is_refused_with_its_place(tmp_path: Path, allowed: str) -> None:
    text = GOOD + f"\n[tiers.free.budgets]\nuser = {allowed}\n"

    with pytest.raises(UsageError, match=r"tiers\.free: .*budgets\.user"):
        read_tenants(written(tmp_path, text))


@pytest.mark.guarantee_g
@pytest.mark.parametrize("policy", CachePolicy)
def test_a_tier_says_which_earlier_answers_are_given_again(tmp_path: Path, policy: CachePolicy) -> None:
    fake = FakeDynamoDB()
    text = GOOD.replace("max_output_tokens = 400", f'max_output_tokens = 400\ncache = "{policy}"')

    list(table_over(fake).apply(read_tenants(written(tmp_path, text))))

    assert row(from_attributes(fake.items["TENANT#acme", "TENANT"]["tier"]["M"]), Tier).cache is policy


def test_a_key_is_made_once_and_only_its_hash_is_stored(tmp_path: Path) -> None:
    fake, content = FakeDynamoDB(), read_tenants(written(tmp_path, GOOD))

    (made,) = table_over(fake).apply(content)
    again = list(table_over(fake).apply(content))

    key = parse_key(made.text)
    assert key is not None
    assert again == []
    (stored,) = fake.of_kind("KEY#")
    assert stored["pk"]["S"] == f"KEY#{key.id}"
    assert stored["secret_sha256"]["S"] == key.secret_sha256
    assert key.secret not in str(fake.items)


def test_new_scopes_and_labels_reach_a_key_that_exists(tmp_path: Path) -> None:
    fake = FakeDynamoDB()
    list(table_over(fake).apply(read_tenants(written(tmp_path, GOOD))))

    list(table_over(fake).apply(read_tenants(written(tmp_path, GOOD + 'scopes = ["runs:read"]\nlabels = ["board"]\n'))))

    assert fake.of_kind("KEY#")[0]["scopes"] == {"L": [{"S": "runs:read"}]}
    assert fake.of_kind("KEY#")[0]["labels"] == {"L": [{"S": "board"}]}


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("2100-01-31", 4105036800),
        ('"2100-01-31"', 4105036800),
        ("2100-01-31T12:00:00", 4105080000),
        ("2100-01-31T12:00:00Z", 4105080000),
        ("2100-01-31T13:00:00+01:00", 4105080000),
    ],
)
def test_keys_end_when_the_file_says_and_last_again_once_it_does_not(tmp_path: Path, said: str, seconds: int) -> None:
    fake, unbounded = FakeDynamoDB(), read_tenants(written(tmp_path, GOOD))
    bounded = read_tenants(written(tmp_path, f"{GOOD}expires = {said}\n"))
    table = table_over(fake)

    ends: list[dict[str, str] | None] = []
    for content in (bounded, unbounded, bounded):
        list(table.apply(content))
        (stored,) = fake.of_kind("KEY#")
        ends.append(stored.get("expires_at"))

    assert ends == [{"N": str(seconds)}, None, {"N": str(seconds)}]


def test_a_key_that_was_deleted_by_hand_stays_deleted(tmp_path: Path) -> None:
    fake, content = FakeDynamoDB(), read_tenants(written(tmp_path, GOOD))
    list(table_over(fake).apply(content))
    fake.items = {key: item for key, item in fake.items.items() if not key[0].startswith("KEY#")}

    assert list(table_over(fake).apply(content)) == []
    assert fake.of_kind("KEY#") == []


def test_a_revoked_key_is_gone_and_the_file_makes_another(tmp_path: Path) -> None:
    fake, content = FakeDynamoDB(), read_tenants(written(tmp_path, GOOD))
    table = table_over(fake)
    (first,) = table.apply(content)

    table.revoke("acme", "ada", "laptop")
    (second,) = table.apply(content)

    assert first.text != second.text
    assert len(fake.of_kind("KEY#")) == 1


def test_an_operator_ends_a_key_of_a_user_whom_the_file_names_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = FakeDynamoDB()
    list(table_over(fake).apply(read_tenants(written(tmp_path, GOOD.replace('"laptop"', '"laptop", "ci"')))))
    aws = SimpleNamespace(dynamodb=lambda: fake)
    environment = SimpleNamespace(name="local", aws=aws, output={"TenantsTable": "t"}.get)

    def there(_: str) -> SimpleNamespace:
        return environment

    monkeypatch.setattr("client.commands.tenants.environment_named", there)

    ended = CliRunner().invoke(app, ["tenants", "revoke", "acme", "ada", "ci"])

    assert (ended.exit_code, ended.stderr) == (0, "acme ada ci is refused from now on\n")
    assert len(fake.of_kind("KEY#")) == 1
    assert table_over(fake).key_names("acme", "ada") == ["laptop"]
    for wrong in (["acme", "ada", "ci"], ["acme", "bob", "laptop"], ["other", "ada", "laptop"]):
        with pytest.raises(UsageError, match=f"user {wrong[1]} of tenant {wrong[0]} has no key {wrong[2]}"):
            app(["tenants", "revoke", *wrong], standalone_mode=False)
    assert len(fake.of_kind("KEY#")) == 1


def test_a_key_whose_end_is_cut_off_can_be_ended_again(tmp_path: Path) -> None:
    class CutOff(FakeDynamoDB):
        def delete_item(self, *, TableName: str, Key: dict[str, Any]) -> None:  # noqa: N803
            if not Key["pk"]["S"].startswith("KEY#"):
                raise ConnectionError
            super().delete_item(TableName=TableName, Key=Key)

    fake = CutOff()
    table = table_over(fake)
    list(table.apply(read_tenants(written(tmp_path, GOOD))))

    with pytest.raises(ConnectionError):
        table.revoke("acme", "ada", "laptop")

    assert fake.of_kind("KEY#") == []
    assert table.key_names("acme", "ada") == ["laptop"]


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (('tier = "free"', 'tier = "gold"'), r"tenants\.acme\.tier: there is no tier 'gold', use one of free"),
        (("tenants.acme", "tenants.Acme"), r"tenants\.Acme: use 1 to 32"),
        (("burst = 20", "burst = 0"), r"tiers\.free: Expected `int` >= 1 - at `\$\.burst"),
        (("burst = 20", "bursts = 20"), "bursts"),
        (
            ("burst = 20", 'fetch_hosts = ["https://a.org"]'),
            r"tiers\.free\.fetch_hosts: 'https://a\.org' is no host, use",
        ),
        (("burst = 20", 'link_hosts = ["*"]'), r"tiers\.free\.link_hosts: '\*' is no host, use names like"),
        (("burst = 20", 'fetch_hosts = ["127.0.0.1"]'), r"tiers\.free\.fetch_hosts: '127\.0\.0\.1' is no host"),
        (("burst = 20", 'tools = ["fetch_url"]'), r"tiers\.free\.fetch_hosts: list the hosts that fetch_url may read"),
        (("burst = 20", 'tools = ["guess"]'), r"tiers\.free\.tools: there is no tool guess, use some of calculate"),
        (('keys = ["laptop"]', 'keys = ["a", "a"]'), "twice"),
        (('keys = ["laptop"]', 'scopes = ["root"]'), r"users\.ada\.scopes: there is no scope root"),
        (('keys = ["laptop"]', "expires = 2026-01-31"), r"users\.ada\.expires: 2026-01-31 is past, use a later time"),
        (('keys = ["laptop"]', 'expires = "in March"'), r"users\.ada\.expires: 'in March' is no time, use 2027-03-31"),
        (('keys = ["laptop"]', "expires = 12:00:00"), r"users\.ada\.expires: '12:00:00' is no time"),
        (('keys = ["laptop"]', "expires = 5"), r"tenants\.acme: .*expires"),
        (('keys = ["laptop"]', 'labels = ["*"]'), r"users\.ada\.labels: '\*' is no label"),
        (("burst = 20", "burst ="), "is not TOML"),
    ],
)
def test_a_wrong_file_is_refused_by_the_name_of_its_field(
    tmp_path: Path, change: tuple[str, str], complaint: str
) -> None:
    with pytest.raises(UsageError, match=complaint):
        read_tenants(written(tmp_path, GOOD.replace(*change)))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"gone\.toml can't be read"):
        read_tenants(tmp_path / "gone.toml")


@pytest.mark.parametrize(("said", "days"), [("", None), ("conversation_days = 7\n", 7)])
def test_conversations_are_remembered_as_long_as_the_tier_says(tmp_path: Path, said: str, days: int | None) -> None:
    fake = FakeDynamoDB()
    text = GOOD.replace("burst = 20\n", f"burst = 20\n{said}")

    list(table_over(fake).apply(read_tenants(written(tmp_path, text))))

    assert row(from_attributes(fake.items["TENANT#acme", "TENANT"]["tier"]["M"]), Tier).conversation_days == days


@pytest.mark.parametrize(("said", "model"), [("", None), ('summary_model = "small"\n', "small")])
def test_older_turns_are_summed_up_by_the_model_that_the_tier_names(
    tmp_path: Path, said: str, model: str | None
) -> None:
    fake = FakeDynamoDB()

    list(table_over(fake).apply(read_tenants(written(tmp_path, GOOD.replace("burst = 20\n", f"burst = 20\n{said}")))))

    assert row(from_attributes(fake.items["TENANT#acme", "TENANT"]["tier"]["M"]), Tier).summary_model == model


def test_conversations_of_no_day_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="conversation_days"):
        read_tenants(written(tmp_path, GOOD.replace("burst = 20\n", "conversation_days = 0\n")))
