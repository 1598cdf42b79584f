"""Prices: found by prefix, sender, date and carrier; exact to the millionth; never guessed."""

import itertools
import random
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import RateCardError
from pipeline.model import Channel
from pipeline.prepare import columns
from pipeline.prepare.columns import FILE_ROW
from pipeline.prepare.price_grid import MOST_SEGMENTS
from pipeline.prepare.pricing import (
    Price,
    PriceGrid,
    RateCard,
    SenderType,
    add_cost,
    load_card,
    require_prices,
    sender_type,
)
from pipeline.prepare.rate_card import Carrier, Direction, Surcharge
from pipeline.prepare.reasons import MAX_CHARACTERS
from pipeline.prepare.segments import count_segments

TODAY = date(2026, 6, 1)
SENDER = "+19195550100"
TOLL_FREE = "+18885550100"
DURHAM = "+19195550123"
LONDON = "+442079460123"


def price(prefix, base, sender=None, **more):
    more = {"channel": Channel.SMS, **more}
    return Price(sender=sender, prefix=prefix, base=Decimal(base), **more)


def surcharge(carrier, amount, sender=None, **more):
    more = {"channel": Channel.SMS, **more}
    return Surcharge(carrier=carrier, sender=sender, amount=Decimal(amount), **more)


def carrier(name, share=None, prefix="1"):
    return Carrier(name=name, prefix=prefix, share=share and Decimal(share))


def card(*rows):
    kinds = {Price: [], Carrier: [], Surcharge: []}
    for row in rows:
        kinds[type(row)].append(row)

    prices, carriers, surcharges = map(tuple, kinds.values())
    return RateCard(
        name="test", currency="USD", prices=prices, carriers=carriers, surcharges=surcharges
    )


def messages(to, sender=SENDER, *, segments=1, channel="sms", carrier=None):
    data = {"to": [to], "from": [sender], "channel": [channel], "segments": [segments]}
    return pl.LazyFrame({**data, "carrier": pl.Series([carrier], dtype=pl.String)})


def priced(rates, to=DURHAM, sender=SENDER, **message):
    known = {"carrier": pl.col("carrier")} if "carrier" in message else {}
    grid = PriceGrid(rates, TODAY, **known)
    return messages(to, sender, **message).pipe(add_cost, grid).collect().row(0, named=True)


def cost(rates, to=DURHAM, sender=SENDER, **message):
    return priced(rates, to, sender, **message)["cost_estimated"]


def refusal(frame, rates, **known):
    grid = PriceGrid(rates, TODAY, **known)
    with pytest.raises(RateCardError) as caught:
        require_prices(frame.with_row_index(FILE_ROW, offset=1), grid, file="people.csv")

    return str(caught.value).splitlines()


@pytest.mark.parametrize(
    ("prices", "expected"),
    [
        pytest.param([price("1", "0.001"), price("1919", "0.002")], "0.002", id="longest prefix"),
        pytest.param([price("1", "0.001"), price("", "0.002")], "0.001", id="prefix over default"),
        pytest.param([price("", "0.002")], "0.002", id="default where nothing else fits"),
        pytest.param([price("1", "0.001"), price("1", "0.002", SenderType.TEN_DLC)], "0.002",
                     id="the sender type over default"),
        pytest.param([price("1", "0.001", SenderType.TEN_DLC), price("1919", "0.002")], "0.002",
                     id="the prefix before the sender type"),
        pytest.param([price("1", "0.001"), price("1", "0.002", SenderType.TOLL_FREE)], "0.001",
                     id="not the price of another sender type"),
        pytest.param([price("1", "0.001", effective=date(2026, 1, 1)),
                      price("1", "0.002", effective=date(2026, 5, 1)),
                      price("1", "0.003", effective=date(2026, 6, 2))], "0.002",
                     id="the newest price that has come"),
        pytest.param([price("1", "0.001"), price("1", "0.002", effective=TODAY)], "0.002",
                     id="a price holds from its first day"),
        pytest.param([price("1", "0.001"), price("1919", "0.002", effective=date(2026, 6, 2))],
                     "0.001", id="a longer prefix of tomorrow does not hide a price of today"),
        pytest.param([price("1", "0.001", surcharge=Decimal("0.0045"))], "0.0055", id="surcharge"),
        pytest.param([price("1", "0.001"), price("1", "0.002", direction=Direction.INBOUND)],
                     "0.001", id="an answer has a price of its own"),
    ],
)  # fmt: skip
def test_the_price_is_the_one_that_fits_best(prices, expected):
    assert cost(card(*prices)) == Decimal(expected)
    assert cost(card(*reversed(prices))) == Decimal(expected)


def test_a_message_costs_its_segments():
    assert cost(card(price("1", "0.000001")), segments=7) == Decimal("0.000007")


def test_the_longest_text_has_a_cost_and_a_longer_one_has_none():
    longest = count_segments("\N{GRINNING FACE}" * MAX_CHARACTERS).segments
    assert longest == MOST_SEGMENTS
    rates = card(price("1", "0.001"), price("44", "0.002"))
    assert cost(rates, segments=longest) == Decimal("0.063")
    assert cost(rates, segments=longest + 1) is None


@given(st.integers(0, 9_999_999_999), st.integers(1, 31))
def test_no_fraction_is_ever_lost(micros, segments):
    base = Decimal(micros) / 1_000_000
    assert cost(card(price("1", str(base))), segments=segments) == base * segments


def test_a_row_without_segments_costs_nothing_known():
    assert cost(card(price("1", "0.001")), segments=None) is None


@pytest.mark.parametrize(
    ("sender", "kind"),
    [
        ("+19195550100", "10dlc"),
        ("+18005550100", "toll_free"),
        ("+18335550100", "toll_free"),
        ("+18445550100", "toll_free"),
        ("+18555550100", "toll_free"),
        ("+18665550100", "toll_free"),
        ("+18775550100", "toll_free"),
        ("+18885550100", "toll_free"),
        ("+18225550100", "10dlc"),
        ("12345", "short_code"),
        ("123456", "short_code"),
        ("ACME-1", "alphanumeric"),
        ("8Ball", "alphanumeric"),
        ("+442079460123", "10dlc"),
    ],
)
def test_the_type_of_a_sender_follows_from_its_form(sender, kind):
    assert sender_type(sender) == kind
    rates = card(price("", "1"), price("", "2", SenderType(kind)))
    assert cost(rates, sender=sender) == Decimal(2)


def test_a_price_of_another_channel_is_no_price():
    assert cost(card(price("1", "0.004")), channel="mms") is None


def test_every_row_of_many_kinds_gets_its_own_price():
    """What is said about senders, channels and numbers only saves time."""
    rng = random.Random(4)
    rows = [
        {"to": rng.choice([DURHAM, LONDON, "+12125550100"]), "segments": rng.randint(1, 9),
         "from": rng.choice([SENDER, TOLL_FREE, "12345", "ACME"]),
         "channel": rng.choice(["sms", "mms"]), "carrier": rng.choice(["A", "b", "", None, "C"])}
        for _ in range(80)
    ]  # fmt: skip
    rates = card(
        *(price(prefix, f"0.{prefix or 7}", channel=channel) for prefix in ("1", "1919", "44", "")
          for channel in Channel),
        price("1", "0.3", SenderType.SHORT_CODE),
        carrier("A", "0.25"), carrier("B", "0.75"), carrier("default", "0"),
        surcharge("A", "0.001"), surcharge("A", "0.005", SenderType.TOLL_FREE),
        surcharge("B", "0.002"), surcharge("B", "0.003", channel=Channel.MMS),
        surcharge("default", "0.009"), surcharge("default", "0.019", channel=Channel.MMS),
    )  # fmt: skip
    alone = [cost(rates, row["to"], row["from"], **{key: row[key] for key in
             ("segments", "channel", "carrier")}) for row in rows]  # fmt: skip
    frame = pl.LazyFrame(
        rows, schema_overrides={"from": pl.Enum([SENDER, TOLL_FREE, "12345", "ACME"])}
    )
    frame = frame.with_columns(pl.col("to").str.slice(1).cast(pl.Int64).alias(columns.SENT))
    senders, number = (SENDER, TOLL_FREE, "12345", "ACME"), pl.col(columns.SENT)
    grid = PriceGrid(rates, TODAY, senders=senders, number=number, carrier=pl.col("carrier"))
    for engine in ("streaming", "in-memory"):
        found = frame.pipe(add_cost, grid).collect(engine=engine)
        assert found["cost_estimated"].to_list() == alone
        assert len(set(alone)) > 30

    assert set(found["currency"]) == {"USD"}
    assert found.filter(pl.col("currency") == "USD").height == len(rows)


# --- Carriers ------------------------------------------------------------------------------------

MIX = [carrier("A", "0.25"), carrier("B", "0.75"), surcharge("A", "0.001"), surcharge("B", "0.002")]


@pytest.mark.parametrize(
    ("rows", "low", "expected", "high"),
    [
        pytest.param([price("1", "0.004"), *MIX], "0.005", "0.00575", "0.006", id="by the shares"),
        pytest.param([price("1", "0.004", surcharge=Decimal("0.01")), *MIX], "0.014", "0.014",
                     "0.014", id="a price with a surcharge of its own holds for every carrier"),
        pytest.param([price("1919", "0.004", surcharge=Decimal(0)), price("1", "1"), *MIX],
                     "0.004", "0.004", "0.004", id="even with one of nothing"),
        pytest.param([price("1", "0.004"), *MIX, carrier("C", "0"), surcharge("C", "0.009")],
                     "0.005", "0.00575", "0.006", id="a carrier without a share is in no mix"),
        pytest.param([price("1", "0.004"), *MIX, surcharge("A", "0.003", effective=TODAY)],
                     "0.006", "0.00625", "0.007", id="the newest surcharge that has come"),
        pytest.param([price("1", "0.004"), *MIX,
                      surcharge("A", "0.005", SenderType.TEN_DLC),
                      surcharge("A", "0.006", SenderType.TOLL_FREE),
                      surcharge("A", "0.007", channel=Channel.MMS),
                      surcharge("A", "0.008", direction=Direction.INBOUND)],
                     "0.006", "0.00675", "0.009", id="the sender type over default"),
        pytest.param([price("1", "0.004"), *MIX[:3], surcharge("default", "0.009")],
                     "0.005", "0.011", "0.013", id="default where a carrier has no row"),
        pytest.param([price("1", "0.004"), *MIX, carrier("C", "1", "1919"), surcharge("C", "0.1")],
                     "0.104", "0.104", "0.104", id="carriers of the longest prefix"),
        pytest.param([price("", "0.004"), carrier("C", "1", ""), surcharge("C", "0.1")],
                     "0.104", "0.104", "0.104", id="carriers of every prefix"),
        pytest.param([price("1", "0.004"), *MIX, carrier("C", "1", "44"), surcharge("C", "0.1")],
                     "0.005", "0.00575", "0.006", id="not the carriers of another country"),
    ],
)  # fmt: skip
def test_a_carrier_nobody_knows_is_priced_by_the_mix(rows, low, expected, high):
    for each in (rows, rows[::-1]):
        found = priced(card(*each))
        assert found["cost_estimated"] == Decimal(expected)
        assert (found["cost_low"], found["cost_high"]) == (Decimal(low), Decimal(high))


@pytest.mark.parametrize(
    ("name", "expected"),
    [("A", "0.010"), ("B", "0.012"), (" b ", "0.012"), ("", "0.0115"), (None, "0.0115")],
    ids=repr,
)
def test_a_known_carrier_has_its_own_price(name, expected):
    found = priced(card(price("1", "0.004"), *MIX), carrier=name, segments=2)
    assert found["cost_estimated"] == Decimal(expected)
    assert (found["cost_low"] == found["cost_high"]) == bool(name)


def test_a_carrier_that_is_not_named_is_the_default_one_if_the_card_has_it():
    rates = card(price("1", "0.004"), *MIX, carrier("default", "0"), surcharge("default", "0.01"))
    assert cost(rates, carrier="Elsewhere") == Decimal("0.014")


def test_where_there_are_no_carriers_their_names_do_not_matter():
    rates = card(price("1", "0.004"), price("44", "0.04"), *MIX)
    assert cost(rates, LONDON, carrier="Vodafone") == Decimal("0.04")


def test_a_card_without_a_mix_adds_no_bounds():
    assert not {"cost_low", "cost_high"} & priced(card(price("1", "0.004"))).keys()


def millionths(count):
    return Decimal(count) / 1_000_000


def shares_of(cuts):
    """Millionths that come to a whole, cut at these places."""
    edges = sorted([0, 1_000_000, *cuts])
    return [after - before for before, after in itertools.pairwise(edges)]


@given(
    st.lists(st.integers(0, 10_000), min_size=1, max_size=5),
    st.lists(st.integers(0, 1_000_000), min_size=4, max_size=4),
    st.integers(1, 40),
)
def test_an_expected_cost_is_rounded_once_half_to_even(amounts, cuts, segments):
    shares = shares_of(cuts[: len(amounts) - 1])
    rows = [price("1", "0.004")]
    for at, (share, micros) in enumerate(zip(shares, amounts, strict=True)):
        rows += [carrier(f"c{at}", millionths(share)), surcharge(f"c{at}", millionths(micros))]

    found = priced(card(*rows), segments=segments)
    offers = [(share, micros + 4_000) for share, micros in zip(shares, amounts, strict=True)]
    mean = sum(millionths(share) * millionths(micros) for share, micros in offers)
    exact = (mean * segments).quantize(Decimal("0.000001"), ROUND_HALF_EVEN)
    assert found["cost_estimated"] == exact
    carried = [micros for share, micros in offers if share]
    assert found["cost_low"] == millionths(min(carried) * segments)
    assert found["cost_high"] == millionths(max(carried) * segments)


@pytest.mark.parametrize(("segments", "micros"), [(1, 0), (2, 1), (3, 2), (5, 2), (7, 4)])
def test_half_a_millionth_goes_to_the_even_side(segments, micros):
    halves = [carrier("A", "0.5"), carrier("B", "0.5")]
    rates = card(price("1", "0"), *halves, surcharge("A", "0"), surcharge("B", "0.000001"))
    assert cost(rates, segments=segments) == millionths(micros)


# --- What is missing -----------------------------------------------------------------------------


def test_a_missing_price_is_refused_with_all_that_is_missing():
    frame = pl.LazyFrame(
        {
            "to": [DURHAM, LONDON, "+442079460124", "+493023125042", None],
            "from": [SENDER, TOLL_FREE, TOLL_FREE, SENDER, None],
            "channel": ["sms"] * 5,
        }
    )
    rates = card(price("1", "0.004"), price("44", "0.04", SenderType.TEN_DLC))
    first, second = refusal(frame, rates)
    assert "no sms price on 2026-06-01 for a 10dlc sender and prefix 49 (recipients: 1)" in first
    assert "for a toll_free sender and prefix 44 (recipients: 2); add a [[price]] row" in second
    assert first.startswith("people.csv, row 4: rate card 'test' has ")
    assert second.startswith("people.csv, rows 2, 3: rate card 'test' has ")


def test_of_many_rows_without_a_price_the_first_are_named_and_no_number():
    numbers = [f"+4420794601{line}" for line in range(10, 99)]
    (sentence,) = refusal(
        pl.LazyFrame({"to": [DURHAM, *numbers], "from": SENDER, "channel": "sms"}),
        card(price("1", "0.004")),
    )
    assert sentence.startswith("people.csv, rows 2, 3, 4, 5, 6 ...: rate card")
    assert "(recipients: 89)" in sentence
    assert "20794601" not in sentence


@pytest.mark.parametrize(
    ("rows", "name", "complaint"),
    [
        pytest.param(MIX[:3], None, "no sms surcharge of carrier 'B' on 2026-06-01", id="a fee"),
        pytest.param([*MIX[:3], surcharge("B", "1", effective=date(2026, 6, 2))], "B",
                     "no sms surcharge of carrier 'B'", id="a fee of tomorrow"),
        pytest.param([*MIX[:3], surcharge("B", "1", SenderType.TOLL_FREE)], "B",
                     "no sms surcharge of carrier 'B'", id="a fee of another sender"),
        pytest.param([*MIX[:3], surcharge("B", "1", channel=Channel.MMS)], "B",
                     "no sms surcharge of carrier 'B'", id="a fee of another channel"),
        pytest.param([carrier("Alpha"), surcharge("Alpha", "1")], None,
                     "no shares of its carriers for recipients whose carrier", id="a mix"),
        pytest.param([carrier("Alpha"), surcharge("Alpha", "1")], "Alhpa",
                     "no carrier 'Alhpa' (did you mean 'Alpha'?)", id="a carrier"),
        pytest.param(MIX, "+19195550123", "no carrier '...'", id="a column that is not one"),
    ],
)  # fmt: skip
def test_a_carriers_missing_row_is_an_error_and_never_zero(rows, name, complaint):
    rates = card(price("1", "0.004"), *rows)
    (sentence,) = refusal(messages(DURHAM, carrier=name), rates, carrier=pl.col("carrier"))
    assert complaint in sentence
    assert "prefix 1 (recipients: 1)" in sentence
    assert cost(rates, carrier=name) is None


def test_a_column_of_nonsense_is_not_told_a_million_times():
    names = [f"carrier {'x' * length}" for length in range(30)]
    frame = pl.LazyFrame({"to": DURHAM, "from": SENDER, "channel": "sms", "carrier": names})
    sentences = refusal(frame, card(price("1", "1"), *MIX), carrier=pl.col("carrier"))
    assert len(sentences) == 21
    assert "10 more" in sentences[-1]


def test_recipients_who_all_have_a_price_are_not_even_looked_at():
    unreadable = pl.LazyFrame({"to": ["x"]}).with_columns(pl.col("to").cast(pl.Int64))
    grid = PriceGrid(card(price("", "0.004")), TODAY, channels=(Channel.SMS,))
    require_prices(unreadable, grid, file="people.csv")


# --- The built-in card ---------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["+19195550100", "+18885550100", "12345"])
@pytest.mark.parametrize("channel", ["sms", "mms"])
def test_the_built_in_card_prices_north_america(kind, channel):
    assert cost(load_card(None), DURHAM, kind, channel=channel) > 0


@pytest.mark.parametrize(
    ("on", "name", "channel", "sender", "expected"),
    [
        (date(2026, 1, 14), "T-Mobile", "sms", SENDER, "0.0070"),
        (date(2026, 1, 14), "T-Mobile", "sms", "12345", "0.0105"),
        (date(2026, 1, 15), "T-Mobile", "sms", SENDER, "0.0085"),
        (date(2026, 1, 15), "T-Mobile", "sms", "12345", "0.0125"),
        (date(2026, 6, 1), "AT&T", "sms", TOLL_FREE, "0.0105"),
        (date(2026, 4, 30), "Verizon", "sms", SENDER, "0.0080"),
        (date(2026, 5, 1), "Verizon", "sms", SENDER, "0.0085"),
        (date(2026, 5, 1), "Verizon", "mms", "12345", "0.0270"),
        (date(2026, 6, 1), "US Cellular", "mms", SENDER, "0.0250"),
        (date(2026, 6, 1), "Somebody", "sms", SENDER, "0.0090"),
        # 0.361 x 0.0085 + 0.345 x 0.0085 + 0.294 x 0.0075
        (date(2026, 6, 1), None, "sms", SENDER, "0.008206"),
    ],
)
def test_the_built_in_card_has_the_fees_of_2026(on, name, channel, sender, expected):
    grid = PriceGrid(load_card(None), on, carrier=pl.col("carrier"))
    frame = messages(DURHAM, sender, channel=channel, carrier=name)
    assert frame.pipe(add_cost, grid).collect()["cost_estimated"].item() == Decimal(expected)
