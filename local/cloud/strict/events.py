"""Which liberties of S3, EventBridge and SQS are taken with events: twice, late, in another order, or not at all."""

import time
from types import ModuleType
from typing import Any

from local.cloud import ministack
from local.cloud.strict.chances import Fate


def apply(fate: Fate) -> None:
    """Impose every rule of this module."""
    buckets(ministack.module("services.s3"), fate)
    rules(ministack.module("services.eventbridge"), fate)
    queues(ministack.module("services.sqs"), fate)


def buckets(service: ModuleType, fate: Fate) -> None:
    """Announce a change of an object twice, or late and so behind later ones, now and then.

    "Amazon S3 Event Notifications": at least once, in no order ("Event ordering and duplicate events", AWS guide, read
    2026-11). `lost_events` goes beyond AWS: what is promised at least once may still be lost by a rule in error.
    """
    fire = service._fire_s3_event

    def fire_as_fate_wills(*event: object, **options: object) -> None:
        chances = fate.chances
        if fate.strikes(chances.lost_events):
            return
        for _ in range(2 if fate.strikes(chances.duplicate_events) else 1):
            if fate.strikes(chances.late_events):
                time.sleep(fate.below(chances.late_event_seconds))
            fire(*event, **options)

    ministack.replace(service, "_fire_s3_event", fire_as_fate_wills)


def rules(service: ModuleType, fate: Fate) -> None:
    """Hand an event to a target twice now and then.

    "Troubleshooting Amazon EventBridge", my rule ran more than once for a single event (AWS guide, read 2026-11).
    """
    invoke = service._invoke_target

    def invoke_at_least_once(*event: object) -> None:
        for _ in range(2 if fate.strikes(fate.chances.duplicate_events) else 1):
            invoke(*event)

    ministack.replace(service, "_invoke_target", invoke_at_least_once)


def queues(service: ModuleType, fate: Fate) -> None:
    """Give the messages of a standard queue in any order, and one of them twice now and then.

    "Amazon SQS standard queues": best-effort ordering, at-least-once delivery (AWS guide, read 2026-11).
    """
    collect = service._collect_msgs

    def collect_in_any_order(queue: dict[str, Any], most: int, hidden_seconds: int) -> list[dict[str, Any]]:
        if queue["is_fifo"]:
            return list(collect(queue, most, hidden_seconds))
        fate.shuffle(queue["messages"])
        given: list[dict[str, Any]] = collect(queue, most, hidden_seconds)
        for message in given:
            if message["receive_count"] == 1 and fate.strikes(fate.chances.duplicate_events):
                queue["messages"].append({**message, "receipt_handle": None, "visible_at": time.time()})
        return given

    ministack.replace(service, "_collect_msgs", collect_in_any_order)
