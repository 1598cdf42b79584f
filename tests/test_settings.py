"""Settings: every problem at once, in sentences that say what to do."""

from datetime import UTC, datetime, timedelta

import pytest

from pipeline.errors import SettingsError
from pipeline.model import Channel, Columns, Delivery, FileFormat, Variant
from pipeline.settings import Options, load_settings

GOOD = """
[campaign]
name = "spring-sale"
recipients = "people.csv"
from = ["+19195550123"]
template = "Hi {name}"
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "people.csv").write_text("name,phone\nAda,+19195550123\n")
    return tmp_path


def write(folder, text):
    path = folder / "campaign.toml"
    path.write_text(text)
    return path


def problems_of(folder, text, options=None):
    with pytest.raises(SettingsError) as caught:
        load_settings(write(folder, text), options or Options())

    assert caught.value.exit_code == 2
    return caught.value.problems


def test_a_complete_campaign_is_read_with_paths_beside_it(folder):
    settings = load_settings(write(folder, GOOD), Options())
    assert settings.campaign.name == "spring-sale"
    assert settings.campaign.senders == ("+19195550123",)
    assert settings.campaign.channel is Channel.SMS
    assert settings.recipients == (str(folder / "people.csv"),)
    assert settings.rate_segments_per_second == 1.0
    assert settings.card is None


def test_a_recipient_file_with_options_is_a_campaign(folder):
    options = Options(
        template="Hi", senders=("12345",), rate_segments_per_second=50, name="by-hand"
    )
    settings = load_settings(folder / "people.csv", options)
    assert settings.campaign.name == "by-hand"
    assert settings.rate_segments_per_second == 50


def test_a_recipient_file_without_options_names_what_is_missing(folder):
    with pytest.raises(SettingsError) as caught:
        load_settings(folder / "people.csv", Options())

    assert "--from" in str(caught.value)
    assert "--template" in str(caught.value)


def test_the_name_comes_from_the_file_where_none_is_given(folder):
    options = Options(template="Hi", senders=("12345",))
    assert load_settings(folder / "people.csv", options).campaign.name == "people"


def test_an_option_outranks_the_file(folder):
    options = Options(rate_segments_per_second=7)
    settings = load_settings(write(folder, GOOD + "[sending]\nrate = 50\n"), options)
    assert settings.rate_segments_per_second == 7


def test_an_unknown_key_names_the_nearest_known_one(folder):
    (problem,) = problems_of(folder, GOOD + 'templete = "x"\n')
    assert "templete" in problem
    assert "did you mean 'template'?" in problem


def test_an_unknown_section_names_the_nearest_known_one(folder):
    (problem,) = problems_of(folder, GOOD + "[sendin]\nrate = 2\n")
    assert "did you mean 'sending'?" in problem


def test_every_problem_is_reported_at_once(folder):
    text = GOOD.replace("people.csv", "gone.csv").replace("spring-sale", "spring sale!")
    problems = problems_of(folder, text + "color = 1\n[sending]\nrate = -3\n")
    assert len(problems) == 3
    both_missing = problems_of(
        folder, GOOD.replace("people.csv", "gone.csv") + '[rates]\ncard = "gone.toml"\n'
    )
    assert len(both_missing) == 2


@pytest.mark.parametrize(
    "sender",
    ["919-555-0123", "+1919", "1234", "1234567", "a name too long", "", "#!"],
)
def test_a_sender_that_is_none_is_refused(folder, sender):
    (problem,) = problems_of(folder, GOOD.replace("+19195550123", sender))
    assert "sender" in problem or "character" in problem


@pytest.mark.parametrize("sender", ["+19195550123", "12345", "123456", "Acme Shop", "A&B-1_2+"])
def test_numbers_short_codes_and_names_are_senders(folder, sender):
    settings = load_settings(write(folder, GOOD.replace("+19195550123", sender)), Options())
    assert settings.campaign.senders == (sender,)


def test_mms_needs_media_and_sms_takes_none(folder):
    for channel in ("mms", "auto"):
        (problem,) = problems_of(folder, GOOD + f'channel = "{channel}"\n')
        assert 'needs media = ["https://' in problem

    (problem,) = problems_of(folder, GOOD + 'media = ["https://example.com/a.png"]\n')
    assert "mms" in problem


@pytest.mark.parametrize(("said", "channel"), [("sms", "sms"), ("mms", "mms"), ("auto", None)])
def test_the_channel_is_said_or_left_to_the_price(folder, said, channel):
    media = "" if said == "sms" else 'media = ["https://example.com/a.png"]\n'
    settings = load_settings(write(folder, GOOD + f'channel = "{said}"\n{media}'), Options())
    assert settings.campaign.channel == channel


@pytest.mark.parametrize(
    ("text", "word"),
    [("[campaign", "TOML"), ("", "campaign"), ("campaign = 3", "campaign")],
    ids=["broken", "empty", "not a table"],
)
def test_a_file_that_is_no_campaign_gets_one_sentence(folder, text, word):
    assert word in problems_of(folder, text)[0]


def test_a_missing_campaign_file_is_said(tmp_path):
    with pytest.raises(SettingsError, match="no such file"):
        load_settings(tmp_path / "gone.toml", Options())


def test_recipients_may_be_several_files_patterns_and_addresses(folder):
    sources = '["people.csv", "more/*.csv", "s3://bucket/people.parquet"]'
    settings = load_settings(write(folder, GOOD.replace('"people.csv"', sources)), Options())
    assert settings.recipients == (
        str(folder / "people.csv"),
        str(folder / "more/*.csv"),
        "s3://bucket/people.parquet",
    )


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        pytest.param('encoding = "klingon"', "nobody knows an encoding 'klingon'", id="encoding"),
        pytest.param('encoding = "hex"', "nobody knows an encoding 'hex'", id="no text encoding"),
        pytest.param('delimiter = "||"', "write one character, or tab", id="two characters"),
        pytest.param("delimiter = '\"'", "write one character, or tab", id="a quote"),
        pytest.param('header = "maybe"', "[file] header", id="header"),
        pytest.param('delimeter = ";"', "did you mean 'delimiter'", id="unknown key"),
    ],
)
def test_what_is_said_of_the_file_is_checked(folder, line, complaint):
    (problem,) = problems_of(folder, f"{GOOD}[file]\n{line}\n")
    assert complaint in problem


def test_the_file_section_reaches_the_reader(folder):
    said = '[file]\nencoding = "cp1252"\ndelimiter = "tab"\nheader = false\n'
    assert load_settings(write(folder, GOOD + said), Options()).file_format == FileFormat(
        encoding="cp1252", delimiter="\t", header=False
    )


WHOLE = """
[campaign]
name = "spring-sale"
recipients = "people.csv"
from = ["+19195550123"]
phone = ["mobile", "home"]
exclude = "winter"
[columns]
key = "order"
from = "sender"
text = "message"
region = "country"
carrier = "network"
[rates]
carriers = "who.csv"
[[variants]]
name = "short"
template = "Hi"
weight = 3
[[variants]]
name = "long"
template = "Good morning"
[suppression]
files = ["no-texts.csv"]
[frequency]
days = 7
"""


def test_columns_variants_and_exclusions_are_read(folder):
    for name in ("no-texts.csv", "who.csv"):
        (folder / name).write_text("phone,carrier\n")

    settings = load_settings(write(folder, WHOLE), Options())
    campaign = settings.campaign
    assert campaign.columns == Columns(
        phone=("mobile", "home"), key="order", sender="sender", text="message", region="country",
        carrier="network",
    )  # fmt: skip
    assert campaign.variants == (
        Variant(name="short", template="Hi", weight=3),
        Variant(name="long", template="Good morning"),
    )
    assert (campaign.exclude, campaign.frequency_days) == (("winter",), 7)
    assert settings.suppression == (folder / "no-texts.csv",)
    assert settings.carriers == folder / "who.csv"


@pytest.mark.parametrize("blank", ["   ", "\t", "\u00a0", "\n"])
def test_a_blank_template_is_refused_with_what_it_may_be(folder, blank):
    sentence = "must be a text in quotes, and not blank"
    assert problems_of(folder, GOOD, Options(template=blank)) == (f"--template {sentence}",)
    written = GOOD.replace(
        "Hi {name}", blank.encode("unicode_escape").decode().replace("\\x", "\\u00")
    )
    assert problems_of(folder, written) == (f"campaign.toml: [campaign] template {sentence}",)
    variants = GOOD.replace('template = "Hi {name}"', "") + (
        '[[variants]]\nname = "a"\ntemplate = "  "\n'
    )
    assert problems_of(folder, variants) == (f"campaign.toml: [variants] template {sentence}",)


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ('[file]\nheader = "no"\n', "[file] header must be true or false"),
        ("[file]\nheader = 0\n", "[file] header must be true or false"),
        ('[frequency]\ndays = "7"\n', "[frequency] days must be a whole number of days from 0"),
        ("[frequency]\ndays = true\n", "[frequency] days must be a whole number of days from 0"),
        ("[frequency]\ndays = 7.0\n", "[frequency] days must be a whole number of days from 0"),
        (
            '[[variants]]\nname = "a"\ntemplate = "Hi"\nweight = "2"\n',
            "[variants] weight must be a whole number from 1",
        ),
    ],
)
def test_a_value_of_another_kind_is_refused(folder, said, sentence):
    text = GOOD.replace('template = "Hi {name}"', "") if "variants" in said else GOOD
    (problem,) = problems_of(folder, text + said)
    assert problem.startswith(f"campaign.toml: {sentence}")


def test_a_column_of_texts_needs_no_template(folder):
    text = GOOD.replace('template = "Hi {name}"', "") + '[columns]\ntext = "message"\n'
    assert load_settings(write(folder, text), Options()).campaign.template == ""


def test_smart_characters_are_off_unless_the_campaign_or_an_option_asks(folder):
    def asked(text, options=None):
        campaign = load_settings(write(folder, GOOD + text), options or Options()).campaign
        return campaign.smart, campaign.smart_accents

    assert asked("") == (False, False)
    assert asked("smart = true\n") == (True, False)
    assert asked("smart_accents = true\n") == (False, True)
    assert asked("", Options(smart=True, smart_accents=True)) == (True, True)
    assert asked("smart = true\n", Options(smart=False)) == (False, False)


@pytest.mark.parametrize("value", ['"accents"', "1", '"yes"'])
def test_smart_is_true_or_false(folder, value):
    (problem,) = problems_of(folder, GOOD + f"smart = {value}\n")
    assert "[campaign] smart must be true or false" in problem
    assert "smart_accents" in problem


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (GOOD + '[suppression]\nfiles = ["gone.csv"]\n', "no file"),
        (GOOD + '[rates]\ncarriers = "gone.csv"\n', "[rates] carriers: there is no file"),
        (GOOD + '[rates]\ncarriers = "."\n', "[rates] carriers: there is no file"),
        (GOOD + '[suppression]\nfiles = ["."]\n', "[suppression] files: there is no file"),
        (GOOD + '[[variants]]\nname = "a"\ntemplate = "x"\n', "write the template as one"),
        (GOOD + '[[variants]]\nname = "a"\n', "template is missing"),
        (GOOD + "[frequency]\ndays = -1\n", "days"),
        (GOOD + 'exclude = ["spring-sale"]\n', "its own recipients"),
        (GOOD + '[columns]\nregoin = "x"\n', "did you mean 'region'"),
        (
            GOOD.replace('template = "Hi {name}"', "")
            + '[[variants]]\nname = "a"\ntemplate = "x"\n' * 2,
            "one name",
        ),
        (GOOD + '[columns]\nmedia = "picture"\n', "mms"),
    ],
    ids=[
        "file",
        "carriers",
        "folder of carriers",
        "folder of a list",
        "both texts",
        "variant",
        "days",
        "itself",
        "typo",
        "names",
        "media",
    ],
)
def test_what_does_not_hold_together_is_said(folder, text, words):
    (problem,) = problems_of(folder, text)
    assert words in problem


@pytest.mark.parametrize(
    ("said", "after"),
    [
        ("30", timedelta(minutes=30)),
        ("0.5", timedelta(seconds=30)),
        ("2026-12-01T18:00:00Z", datetime(2026, 12, 1, 18, tzinfo=UTC)),
        ('"2026-12-01T18:00:00+01:00"', datetime(2026, 12, 1, 17, tzinfo=UTC)),
    ],
)
def test_messages_may_be_urgent_and_expire_after_minutes_or_at_a_moment(folder, said, after):
    sending = f'[sending]\npriority = "high"\nexpires_after = {said}\n'

    settings = load_settings(write(folder, GOOD + sending), Options())
    assert settings.delivery == Delivery(is_urgent=True, expires_after=after)
    assert load_settings(write(folder, GOOD), Options()).delivery == Delivery()


def test_how_long_evidence_is_waited_for_has_defaults_and_can_be_said(folder):
    usual = load_settings(write(folder, GOOD), Options()).settling
    assert usual.seconds == (30, 120, 600)
    assert usual.silence == timedelta(hours=97)
    text = "[settling]\nseconds = [5, 0.5]\nreceipt_hours = 2\ncallback_hours = 0\n"
    said = load_settings(write(folder, GOOD + text), Options()).settling
    assert (said.seconds, said.silence) == ((5, 0.5), timedelta(hours=2))


@pytest.mark.parametrize(
    "line",
    [
        "seconds = 30",
        "seconds = [-1]",
        'seconds = ["soon"]',
        "seconds = [90000]",
        f"seconds = {[1] * 21}",
        "receipt_hours = 0",
        "callback_hours = -1",
    ],
)
def test_a_time_of_settling_that_is_none_is_refused_with_what_it_may_be(folder, line):
    (problem,) = problems_of(folder, f"{GOOD}[settling]\n{line}\n")
    assert problem.startswith(f"campaign.toml: [settling] {line.split()[0]} must be a ")
