"""What a person with a browser may rely on in the console: headless Chromium against the deployed stack."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from client.tenants import TenantsTable
from client.tenants_file import read_tenants
from tests.integration.conftest import Deployed
from tests.integration.uploads import ingest

pytestmark = pytest.mark.integration
PATIENCE_SECONDS = 90
READER = """
[tiers.pro]
requests_per_minute = 6000
burst = 1000
models = ["plinth-local"]
max_output_tokens = 100
[tenants.reader]
tier = "pro"
[tenants.reader.users.rea]
keys = ["test"]
"""
MARKUP = """<img src=x onerror="document.title='taken'">"""
TEXT = f"# Purging {MARKUP}\n\nThe command zorkpurge removes a package with {MARKUP} its configuration files.\n"
SCRIPTED_API = """
window.fetch = async (url) => url === "/v1/runs"
  ? new Response(JSON.stringify({ events_url: "/events" }), { status: 202 })
  : new Response(%s.map((event, at) => `data: ${JSON.stringify({ seq: at + 1, event })}\\n\\n`).join(""));
"""


STOPPABLE_API = """
window.cancelled = [];
window.fetch = async (url) => {
  if (url === "/v1/runs") return new Response(JSON.stringify({ id: "run_1", events_url: "/events" }), { status: 202 });
  if (url.endsWith("/cancel")) { window.cancelled.push(url); window.stop_run(); return new Response("{}"); }
  return new Response(new ReadableStream({ start(stream) {
    const event = { type: "run.ended", status: "cancelled", reason: "cancelled" };
    const text = `data: ${JSON.stringify({ seq: 1, event })}\n\n`;
    window.stop_run = () => { stream.enqueue(new TextEncoder().encode(text)); stream.close(); };
  } }));
};
"""

FULL_FOR_A_MOMENT_API = """
window.resumed = [];
window.fetch = async (url, request) => {
  if (url === "/v1/runs") return new Response(JSON.stringify({ id: "run_1", events_url: "/events" }), { status: 202 });
  const say = (seq, event) => `data: ${JSON.stringify({ seq, event })}\n\n`;
  const turn = window.resumed.push(request.headers["last-event-id"]);
  if (turn === 1) return new Response(say(1, { type: "text.delta", text: "half ", attempt: 1, offset: 0 }));
  if (turn < 4) return new Response(JSON.stringify({ detail: "Full." }), { status: turn === 2 ? 429 : 500 });
  const rest = say(2, { type: "text.delta", text: "and half", attempt: 1, offset: 5 });
  return new Response(rest + say(3, { type: "run.ended", status: "done" }));
};
"""


APPROVABLE_API = """
window.decided = [];
window.fetch = async (url, request) => {
  if (url === "/v1/runs") {
    window.asked = request.body;
    return new Response(JSON.stringify({ id: "run_1", events_url: "/events" }), { status: 202 });
  }
  if (url.includes("/approvals/")) {
    window.decided.push([url, request.body]);
    if (window.decided.length === 1) return new Response(JSON.stringify({ detail: "Not yet." }), { status: 503 });
    window.go_on();
    return new Response("{}");
  }
  return new Response(new ReadableStream({ start(stream) {
    const say = (seq, event) => stream.enqueue(new TextEncoder().encode(`data: ${JSON.stringify({ seq, event })}\n\n`));
    say(1, %s);
    window.go_on = () => {
      say(2, { type: "approval.decided", call: "2-1", decision: "deny", user: "ann" });
      say(3, { type: "text.delta", text: "Without it.", attempt: 1, offset: 0 });
      say(4, { type: "run.ended", status: "done" });
      stream.close();
    };
  } }));
};
"""


class Console:
    """The page as its user meets it."""

    def __init__(self, browser: webdriver.Chrome, address: str) -> None:
        self.browser = browser
        self._address = address

    def open(self) -> None:
        self.browser.get(self._address)

    def text(self, name: str) -> str:
        return self.browser.find_element(By.ID, name).text

    def ask(self, question: str, *, key: str) -> None:
        for name, text in (("key", key), ("question", question)):
            self.browser.find_element(By.ID, name).clear()
            self.browser.find_element(By.ID, name).send_keys(text)
        self.browser.find_element(By.ID, "ask").click()

    def ended(self) -> str:
        """Wait until the button can be used again; return the status line."""
        button = self.browser.find_element(By.ID, "ask")
        wait = WebDriverWait(self.browser, PATIENCE_SECONDS)
        wait.until(lambda _: button.get_attribute("aria-disabled") == "false")
        return self.text("status")

    def press(self, *keys: str) -> None:
        webdriver.ActionChains(self.browser).send_keys(*keys).perform()

    def press_with(self, modifier: str, key: str) -> None:
        webdriver.ActionChains(self.browser).key_down(modifier).send_keys(key).key_up(modifier).perform()

    def focused(self) -> str | None:
        return self.browser.switch_to.active_element.get_attribute("id")

    def script(self, source: str) -> Any:
        return self.browser.execute_script(source)

    def requests(self) -> list[str]:
        return list(self.script("return performance.getEntries().map((entry) => entry.name)"))

    def complaints(self, *, of: str | None = None) -> list[dict[str, Any]]:
        """Return what the browser's log holds, of one source or of all."""
        browser: Any = self.browser
        return [entry for entry in browser.get_log("browser") if of in (None, entry["source"])]

    def answer_with(self, *events: dict[str, Any]) -> None:
        """Let the page meet these events instead of the API, from the next opening on."""
        script = {"source": SCRIPTED_API % json.dumps([*events, {"type": "run.ended", "status": "done"}])}
        self.browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", script)


@pytest.fixture
def console(deployed: Deployed, tmp_path: Path) -> Iterator[Console]:
    found = {name: shutil.which(name) for name in ("chromium", "chromedriver")}
    assert all(found.values()), f"a browser is missing ({found}): apt-get install chromium chromium-driver"
    options = webdriver.ChromeOptions()
    options.binary_location = str(found["chromium"])
    for argument in (
        "--headless=new",
        "--no-sandbox",  # which root needs
        "--disable-dev-shm-usage",
        "--disable-background-networking",
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
        f"--user-data-dir={tmp_path}",
    ):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    browser = webdriver.Chrome(options=options, service=Service(executable_path=str(found["chromedriver"])))
    try:
        yield Console(browser, f"{deployed.info.api_url}/")
    finally:
        browser.quit()


@pytest.fixture(scope="session")
def reader_key(deployed: Deployed, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the key of a tenant whose one document has markup in its title and text."""
    file = tmp_path_factory.mktemp("reader") / "tenants.toml"
    file.write_text(READER)
    table = TenantsTable(deployed.aws("dynamodb"), table=deployed.info.outputs["TenantsTable"], environment="local")
    (made,) = table.apply(read_tenants(file))
    deployed.keys[made.tenant] = made.text
    ingest(deployed, "purging.md", TEXT.encode(), tenant=made.tenant)
    return made.text


def test_an_answer_streams_in_with_its_sources_steps_and_receipt(console: Console, reader_key: str) -> None:
    console.open()
    console.script("""
        window.seen = [];
        const note = () => seen.push(document.getElementById("answer").textContent);
        new MutationObserver(note).observe(document.getElementById("answer"), { childList: true });
    """)

    console.ask("Write: [1] zorkpurge", key=reader_key)  # the small model cites only where it is told to

    assert console.ended() == "Done."
    answer, seen = console.text("answer"), [text for text in console.script("return seen") if text]
    assert seen  # in how many pieces so short an answer comes is a matter of pace: tests/unit/relay
    assert all(answer.startswith(text.strip()) for text in seen)
    assert console.text("sources").startswith(f"[1] Purging {MARKUP}")
    assert "zorkpurge" in console.text("sources")
    assert {"ClaimRun", "RetrieveContext", "CallModel", "cost"} <= set(console.text("steps").split())
    assert console.browser.title == "Plinth"
    assert not console.browser.find_elements(By.TAG_NAME, "img")
    assert console.complaints() == []


def test_the_keyboard_alone_suffices_and_keeps_its_place(console: Console, reader_key: str) -> None:
    console.open()
    console.press(Keys.TAB, reader_key, Keys.TAB, "What does zorkpurge remove?", Keys.TAB)
    assert console.focused() == "ask"

    console.press(Keys.ENTER, Keys.ENTER)

    assert console.ended() == "Done."
    assert console.focused() == "ask"
    console.press_with(Keys.SHIFT, Keys.TAB)
    console.press(" Say it shortly.")
    console.press_with(Keys.CONTROL, Keys.ENTER)
    assert console.ended() == "Done."
    assert console.focused() == "question"
    assert len([name for name in console.requests() if name.endswith("/v1/runs")]) == 2


def test_a_wrong_key_is_refused_in_the_apis_own_words(deployed: Deployed, console: Console, problem: Any) -> None:
    with deployed.http(None, authorization="Bearer pl_local_wrong") as http:
        _, _, detail = problem(http.post("/v1/runs", json={"question": "Is it?"}))
    console.open()

    console.ask("Is it?", key="pl_local_wrong")

    assert console.ended() == detail
    assert not console.browser.find_element(By.ID, "result").is_displayed()
    assert console.complaints(of="javascript") == []


def test_the_key_appears_in_no_address_and_stays_in_its_tab(console: Console, reader_key: str) -> None:
    console.open()
    console.ask("Where is the key?", key=reader_key)
    assert console.ended() == "Done."

    assert reader_key not in " ".join([console.browser.current_url, *console.requests()])
    console.browser.refresh()
    assert console.browser.find_element(By.ID, "key").get_attribute("value") == reader_key
    console.browser.switch_to.new_window("tab")
    console.open()
    assert console.browser.find_element(By.ID, "key").get_attribute("value") == ""


def test_markup_in_an_answer_a_source_and_a_step_is_shown_as_text(console: Console) -> None:
    source = dict.fromkeys(("marker", "title", "name", "text"), MARKUP) | {"heading": f"Part {MARKUP}"}
    console.answer_with(
        {"type": "run.accepted", "model": MARKUP},
        {"type": "step.ended", "step": MARKUP, "duration_ms": 1, "outcome": "ok"},
        {"type": "text.delta", "text": "dropped", "attempt": 1, "offset": 0},
        {"type": "reset", "attempt": 2, "reason": "overloaded"},
        {"type": "text.delta", "text": "late", "attempt": 1, "offset": 7},
        {"type": "text.delta", "text": MARKUP, "attempt": 2, "offset": 0},
        {"type": "citation", "citation": source},
    )
    console.open()

    console.ask("Anything?", key="any")

    assert console.ended() == "Done."
    assert console.text("answer") == MARKUP
    assert console.text("sources").count(MARKUP) == 4
    assert console.text("steps").startswith(MARKUP)
    assert console.browser.title == "Plinth"
    assert not console.browser.find_elements(By.CSS_SELECTOR, "#result img")
    assert console.complaints() == []


def test_the_waterfall_shows_tries_waiting_and_work_on_one_scale(console: Console) -> None:
    step = {"type": "step.ended", "outcome": "ok", "retry": 0}
    console.answer_with(
        {
            **step,
            "type": "step.tried",
            "step": "FindIt",
            "started_at": 10.0,
            "duration_ms": 1000,
            "outcome": "AwayError",
        },
        {**step, "step": "FindIt", "started_at": 12.0, "entered_at": 10.0, "duration_ms": 1000, "retry": 1},
        {**step, "step": "CallIt", "started_at": 15.0, "entered_at": 13.0, "duration_ms": 5000}
        | {"details": {"model": "m", "input_tokens": 20, "cached_input_tokens": 100, "output_tokens": 3}},
    )
    console.open()

    console.ask("Anything?", key="any")

    assert console.ended() == "Done."
    lines = console.text("steps")
    assert "try 1, AwayError" in lines
    assert "after 1 failed try" in lines
    assert "m, 120 in (100 cached), 3 out" in lines
    marks = console.script("""
        return [...document.querySelectorAll("#steps i")].map(
            (mark) => [mark.className, mark.style.left, mark.style.width]);
    """)
    assert marks == [
        ["failed", "0%", "10%"],
        ["", "20%", "10%"],
        ["wait", "30%", "20%"],
        ["", "50%", "50%"],
    ]


def test_a_narrow_screen_needs_no_sideways_scrolling(console: Console) -> None:
    word = "verylongword" * 20
    console.answer_with(
        {"type": "step.ended", "step": "CallModel", "duration_ms": 1, "outcome": "ModelUnavailableError"},
        {"type": "text.delta", "text": word, "attempt": 1, "offset": 0},
        {"type": "citation", "citation": {"marker": 1, "title": "", "name": word, "heading": None, "text": word}},
    )
    screen = {"width": 360, "height": 740, "deviceScaleFactor": 1, "mobile": True}
    console.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
    console.open()

    console.ask("Anything?", key="any")

    assert console.ended() == "Done."
    assert console.script("return document.documentElement.scrollWidth") == 360


def test_a_stack_that_is_full_for_a_moment_does_not_end_the_answer(console: Console) -> None:
    console.browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": FULL_FOR_A_MOMENT_API})
    console.open()

    console.ask("Why?", key="any")

    assert console.ended() == "Done."
    assert console.text("answer") == "half and half"
    assert console.script("return window.resumed") == ["0", "1", "1", "1"]


def test_stop_cancels_the_run_and_is_there_only_while_one_runs(console: Console) -> None:
    console.browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": STOPPABLE_API})
    console.open()
    stop = console.browser.find_element(By.ID, "stop")
    before = stop.is_displayed()
    console.ask("Why?", key="any")
    WebDriverWait(console.browser, PATIENCE_SECONDS).until(lambda _: stop.is_displayed())

    stop.click()

    WebDriverWait(console.browser, PATIENCE_SECONDS).until(lambda _: console.text("status") == "Stopped.")
    assert (before, stop.is_displayed()) == (False, False)
    assert console.browser.execute_script("return window.cancelled") == ["/v1/runs/run_1/cancel"]


def test_a_run_that_waits_shows_its_call_as_text_takes_a_decision_and_goes_on_streaming(console: Console) -> None:
    arguments = json.dumps({"fact": MARKUP})
    needed = {"type": "approval.needed", "call": "2-1", "tool": MARKUP, "arguments": arguments, "expires_at": 1.8e9}
    source = APPROVABLE_API % json.dumps({**needed, "arguments_sha256": "a" * 64})
    console.browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": source})
    console.open()
    console.ask("Why?", key="any")
    wait = WebDriverWait(console.browser, PATIENCE_SECONDS)
    wait.until(lambda _: arguments in console.text("approvals"))
    deny = console.browser.find_elements(By.CSS_SELECTOR, "#approvals button")[1]

    deny.click()
    wait.until(lambda _: "Not yet." in console.text("approvals"))
    deny.click()

    assert console.ended() == "Done."
    assert console.text("answer") == "Without it."
    assert console.text("approvals").endswith("Denied by ann.")
    assert not console.browser.find_elements(By.CSS_SELECTOR, "#approvals button, #approvals img")
    assert console.browser.title == "Plinth"
    path, body = console.script("return window.decided[1]")
    assert path == "/v1/runs/run_1/approvals/2-1"
    assert json.loads(body) == {"decision": "deny", "arguments_sha256": "a" * 64}


def test_a_model_and_tools_are_asked_for_only_where_they_are_filled_in(console: Console) -> None:
    console.answer_with()
    console.open()
    console.script("""
        const answer = window.fetch;
        window.asked = [];
        window.fetch = (url, request) => { if (request.body) window.asked.push(request.body); return answer(url); };
    """)
    console.ask("Why?", key="any")
    console.ended()
    for name, text in (("model", " claude-haiku-5-5 "), ("tools", "remember, calculate")):
        console.browser.find_element(By.ID, name).send_keys(text)

    console.ask("Why?", key="any")

    console.ended()
    assert [json.loads(body) for body in console.script("return window.asked")] == [
        {"question": "Why?"},
        {"question": "Why?", "model": "claude-haiku-5-5", "tools": ["remember", "calculate"]},
    ]
