"""Groups under SIGKILL: everybody in them gets one text at most, and a group is never torn."""

from dataclasses import dataclass

import polars as pl

from tests.crash.story import Story, simulating


@dataclass
class Households(Story):
    """Three rows of each household, far from each other, get one message."""

    def write(self):
        super().write()
        header, *rows = (self.folder / "people.csv").read_text().splitlines()
        homes = self.messages // 3
        rows = [f"{row},h{place % homes}" for place, row in enumerate(rows)]
        (self.folder / "people.csv").write_text("\n".join([f"{header},home", *rows]) + "\n")
        text = self.campaign.read_text()
        self.campaign.write_text(text.replace("[sending]", '[columns]\ngroup = "home"\n[sending]'))


def test_a_group_is_sent_whole_and_once_whatever_dies(tmp_path):
    with simulating(faults="latency=40,lost=0.03,error=0.03,busy=0.03") as url:
        story = Households(folder=tmp_path, url=url, messages=600, rate=150.0, seed=3)
        story.write()
        story.kill_until(5)
        story.finish("--rate", "2000")
        assert story.kills == 5
        assert story.doubled() == []
        texts = story.ledger(texts=True)["texts"]
        assert {len(text["to"]) for text in texts} == {3}
        people = story.results().filter(pl.col("state") != "skipped")
        assert people.height == story.messages
        got = {number for text in texts for number in text["to"]}
        doubted = set(people.filter(state="in_doubt")["to"])
        taken = set(people.filter(pl.col("state").is_in(["accepted", "delivered"]))["to"])
        assert len(doubted | taken) == story.messages
        assert taken <= got <= taken | doubted
        rows = people.group_by("home").agg("state", "group_row", "message_id")
        for column in ("state", "group_row", "message_id"):
            assert set(rows[column].list.n_unique()) == {1}, "a group was torn"
