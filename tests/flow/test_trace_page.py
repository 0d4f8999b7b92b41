"""The page of a timeline: whole in itself, and safe whatever the guest is called."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser

from gdb.trace.event_types import Event, Names, event_types
from gdb.trace.ring import decode_rings
from gdb.trace.timeline import merge
from gdb.trace.timeline_page import timeline_page_data
from parity.flow.hang.trace_page import render_trace_page
from tests.support.ring_writer import RingWriter, ring_layout

EVIL = '</script><img src=x onerror="alert(1)">&\u2028'


class Reader(HTMLParser):
    """Collects a page's elements and the text of its scripts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag == "script":
            self.scripts.append("")

    def handle_data(self, data: str) -> None:
        if self.elements and self.elements[-1][0] == "script":
            self.scripts[-1] += data


def page(names: Names | None = None, title: str = "trace") -> str:
    writer = RingWriter(layout=ring_layout(capacity=32))
    writer.emit_all(
        [
            (100, Event.CTX_SWITCH_EXIT, 7),
            (110, Event.SYSCALL_ENTRY, 900),
            (120, Event.LOCK_CONTEND, 3),
            (130, 0x0742, 1),
        ]
    )
    timeline = merge(decode_rings(writer.raw(), writer.layout), 10**9)
    types = event_types({0x0742: EVIL})
    return render_trace_page(timeline_page_data(timeline, types, names, title=title))


def test_a_page_refers_to_nothing_outside_itself() -> None:
    reader = Reader(page())
    assert [attributes for _, attributes in reader.elements if {"src", "href"} & attributes.keys()] == []
    assert not re.search(r"https?://|@import|url\(", page())
    policy = next(a["content"] for tag, a in reader.elements if tag == "meta" and "http-equiv" in a)
    assert policy is not None
    assert policy.startswith("default-src 'none'")


def test_the_drawing_is_read_back_from_the_page_as_it_was_given() -> None:
    drawing = json.loads(Reader(page()).scripts[0])
    assert drawing["cpus"][0]["runs"] == [[-30, 0, 7]]
    assert drawing["lanes"][0]["label"] == "thread 7"


def test_names_from_the_guest_stay_text() -> None:
    names = Names(system_calls={900: EVIL}, locks={3: EVIL}, threads={7: EVIL})
    reader = Reader(page(names, title=EVIL))
    assert [tag for tag, _ in reader.elements].count("script") == 2
    assert "img" not in [tag for tag, _ in reader.elements]
    drawing = json.loads(reader.scripts[0])
    assert drawing["calls"][0][2].startswith("</script><img src=x")


def test_what_the_thread_is_in_and_the_last_events_stand_in_the_page_as_text() -> None:
    text = page(Names(system_calls={900: "trace_mark"}))
    assert "thread 7 in <code>trace_mark</code>" in text
    assert "LOCK_CONTEND" in text


def test_the_same_data_give_the_same_page() -> None:
    assert page() == page()
