"""The corpus: odd and damaged recipient files, each with the decision that is expected of it.

Nothing is stored: every file is made from these lines when the tests run.
"""

from __future__ import annotations

import gzip
import json
import zipfile
from dataclasses import dataclass
from io import BytesIO

import polars as pl
from backports import zstd

from tests.files.workbooks import workbook


@dataclass(frozen=True, kw_only=True)
class Rows:
    """The file is read: these columns, this many rows, these cells, exactly these findings."""

    columns: str
    rows: int
    #: First and last row, cells joined by ``/``, an empty cell as nothing.
    first: str | None = None
    last: str | None = None
    findings: str = ""
    encoding: str | None = "utf-8"
    delimiter: str | None = ","


@dataclass(frozen=True, kw_only=True)
class Refused:
    """The file is refused with a sentence that holds these words."""

    words: str
    row: int | None = None
    column: str | None = None


@dataclass(frozen=True, kw_only=True)
class Case:
    name: str
    content: bytes
    expected: Rows | Refused
    #: The name of the file.
    file: str = "people.csv"


CASES: list[Case] = []


def read(name, content, columns="phone name", rows=2, *, file="people.csv", **expected):
    CASES.append(
        Case(
            name=name, content=content, file=file,
            expected=Rows(columns=columns, rows=rows, **expected),
        )
    )  # fmt: skip


def refused(name, content, words, *, file="people.csv", **expected):
    CASES.append(
        Case(name=name, content=content, file=file, expected=Refused(words=words, **expected))
    )


TWO = "phone,name\n9195550123,Ann\n9195550124,Bob\n"
NAMES = "phone;name\n9195550123;Renée\n9195550124;Zoë Müller\n"

# --- Line ends -----------------------------------------------------------------------------------

read("LF", TWO.encode(), first="9195550123/Ann", last="9195550124/Bob")
read("CRLF", TWO.replace("\n", "\r\n").encode(), last="9195550124/Bob")
read("CR", TWO.replace("\n", "\r").encode(), last="9195550124/Bob", findings="line_ends")
read("CR CR LF", TWO.replace("\n", "\r\r\n").encode(), last="9195550124/Bob", findings="line_ends")
read("LF and CRLF mixed", b"phone,name\r\n1,a\n2,b\r\n3,c\n", rows=3, last="3/c")
read("all three mixed", b"phone,name\r\n1,a\n2,b\r3,c\n", rows=3, last="3/c", findings="line_ends")
read("no end on the last line", TWO.rstrip().encode(), last="9195550124/Bob")
read("CR on the last line only", TWO.rstrip().encode() + b"\r", last="9195550124/Bob")
read("LF CR after the last row", b"phone,name\n1,a\n2,b\n\r", last="2/b")
read("LF CR", b"phone,name\n\r1,a\n\r2,b\n\r", rows=4, first="/", last="2/b",
     findings="line_ends blank_lines")  # fmt: skip
read("line break in a quoted cell", b'phone,name\n1,"a\nb"\n2,c\n', first="1/a\nb", last="2/c")
read("CRLF in a quoted cell", b'phone,name\r\n1,"a\r\nb"\r\n2,c\r\n', first="1/a\r\nb")
read("CR in a quoted cell", b'phone,name\n1,"a\rb"\n2,c\n', first="1/a\rb", findings="line_ends")
read("line break in a quoted header", b'phone,"na\nme"\n1,a\n2,b\n', columns="phone na\nme")
read("many line breaks in quoted cells", b"phone,name\n" + b'1,"a\n\n\nb"\n' * 500, rows=500,
     first="1/a\n\n\nb", last="1/a\n\n\nb")  # fmt: skip
read("U+2028 ends no line", "phone,name\n1,a\u2028b\n2,c\n".encode(), first="1/a\u2028b")
read("form feed and vertical tab end no line", b"phone,name\n1,a\x0bb\x0c\n2,c\n",
     first="1/a\x0bb\x0c")  # fmt: skip
read("NEL ends no line", "phone,name\n1,a\u0085b\n2,c\n".encode(), first="1/a\u0085b")

# --- Blank lines ---------------------------------------------------------------------------------

read("blank line in the middle", b"phone,name\n1,a\n\n2,b\n", rows=3, findings="blank_lines")
read("blank line below the header", b"phone,name\n\n1,a\n", first="/", last="1/a",
     findings="blank_lines")  # fmt: skip
read("blank lines at the end are no rows", b"phone,name\n1,a\n2,b\n\n\n\n", last="2/b")
read("blank CRLF lines at the end", b"phone,name\r\n1,a\r\n2,b\r\n\r\n\r\n", last="2/b")
read("blank lines above the header", b"\n\r\n\nphone,name\n1,a\n2,b\n", first="1/a")
read("a thousand blank lines at the end", TWO.encode() + b"\n" * 1000, last="9195550124/Bob")
read("more blank lines at the end than a tail", TWO.encode() + b"\n" * 100_000,
     last="9195550124/Bob")  # fmt: skip
read("blank lines in a file of one column", b"phone\n1\n\n2\n\n", columns="phone", rows=3,
     delimiter=None, findings="blank_lines")  # fmt: skip
read("a line of spaces is blank", b"phone,name\n1,a\n   \n2,b\n", rows=3, findings="blank_lines")
read("a line of delimiters is a row of empty cells", b"phone,name\n1,a\n,\n2,b\n", rows=3)
read("lines of delimiters at the end are rows", b"phone,name\n1,a\n,\n,\n", rows=3, last="/")
read("control-Z at the end, as DOS wrote it", TWO.encode() + b"\x1a", last="9195550124/Bob")

# --- Delimiters ----------------------------------------------------------------------------------

read("semicolon", TWO.replace(",", ";").encode(), delimiter=";", last="9195550124/Bob")
read("tab", TWO.replace(",", "\t").encode(), delimiter="\t", last="9195550124/Bob")
read("bar", TWO.replace(",", "|").encode(), delimiter="|", last="9195550124/Bob")
read("tab in .txt", TWO.replace(",", "\t").encode(), delimiter="\t", file="people.txt")
read("comma in .tsv", TWO.encode(), file="people.tsv", last="9195550124/Bob")
read("semicolons with commas in every text", b"phone;name\n1;Hi, Ann\n2;Hi, Bob\n",
     delimiter=";", first="1/Hi, Ann")  # fmt: skip
read("semicolons with decimal commas", b"phone;price\n1;1,50\n2;2,75\n", columns="phone price",
     delimiter=";", last="2/2,75")  # fmt: skip
read("commas with a semicolon in the header", b"phone,a;b\n1,x\n2,y\n", columns="phone a;b")
read("a header with more commas than semicolons", b"phone;last, first, middle\n1;a\n2;b\n",
     columns="phone|last, first, middle", delimiter=";")  # fmt: skip
read("tabs with commas inside", b"phone\tname\n1\tDoe, Ann\n2\tDoe, Bob\n", delimiter="\t",
     first="1/Doe, Ann")  # fmt: skip
read("bars with commas inside", b"phone|name\n1|Doe, Ann\n2|Doe, Bob\n", delimiter="|")
read("delimiter inside quotes only", b'phone,name\n1,"a;b;c"\n2,"d;e;f"\n', first="1/a;b;c")
read("sep= of Excel", b"sep=;\r\nphone;name\r\n1;a\r\n2;b\r\n", delimiter=";", first="1/a")
read("sep=, of Excel", b"sep=,\nphone,name\n1,a;x\n2,b;y\n", first="1/a;x")
read("SEP=tab", b"SEP=\t\nphone\tname\n1\ta\n2\tb\n", delimiter="\t")
read("one column", b"phone\n9195550123\n9195550124\n", columns="phone", delimiter=None)
read("one column, quoted", b'"phone"\n"1"\n"2"\n', columns="phone", delimiter=None, last="2")
read("one quoted empty cell is a row", b'phone\n1\n""\n', columns="phone", delimiter=None, last="")
read("spaces after commas stay", b"phone, name\n1, a\n2, b\n", columns="phone| name",
     first="1/ a")  # fmt: skip
read("spaces before quotes do not", b'phone, name\n1, "a, b"\n2, "c"\n', columns="phone name",
     first="1/a, b", findings="blanks_before_quotes")  # fmt: skip

# --- Quotes --------------------------------------------------------------------------------------

read("every cell quoted", b'"phone","name"\n"1","a"\n"2","b"\n', last="2/b")
read("doubled quotes", b'phone,name\n1,"a ""b"" c"\n2,""""\n', first='1/a "b" c', last='2/"')
read("empty quotes", b'phone,name\n1,""\n"",b\n', first="1/", last="/b")
read("an inch sign in a bare cell", b'phone,name\n1,5" pipe\n2,b\n', first='1/5" pipe')
read("inch signs in two bare cells", b'phone,name\n1,5" pipe\n2,6" pipe\n', last='2/6" pipe')
read("apostrophes are text", b"phone,name\n1,'a\n2,b'\n", first="1/'a", last="2/b'")
read("backslashes are text", b"phone,name\n1,a\\nb\n2,c\\\n", first="1/a\\nb", last="2/c\\")
read("curly quotes are text", "phone,name\n1,“a\n2,b”\n".encode(), first="1/“a")
refused("a quote never closed", b'phone,name\n1,a\n2,"b\n3,c\n', "never closed", row=2)
refused("a quote never closed in the last cell", b'phone,name\n1,a\n2,"', "never closed", row=2)
refused("a quote never closed in the header", b'phone,"name\n1,a\n', "never closed")
refused("text behind a closing quote", b'phone,name\n1,"a"b\n2,c\n', "middle of a cell", row=1)
refused("a nickname in single quotes", b'phone\tname\n1\t"Big" Joe\n', "middle of a cell", row=1)
refused("a quote closed rows later", b'phone,name\n1,"a\n2,b\n3,"c\n', "middle of a cell", row=1)
refused("backslash before a quote", b'phone,name\n1,"a\\"b"\n', "middle of a cell", row=1)

# --- Ragged rows ---------------------------------------------------------------------------------

read("a short row", b"phone,name\n1\n2,b\n", first="1/", findings="short_rows")
read("all rows short", b"phone,name,city\n1,a\n2,b\n", columns="phone name city",
     findings="short_rows", first="1/a/")  # fmt: skip
read("empty cells too many", b"phone,name\n1,a,,\n2,b\n", findings="long_rows", first="1/a")
read("one delimiter at each line's end", b"phone,name,\n1,a,\n2,b,\n", findings="empty_columns")
read("a delimiter at the end of data only", b"phone,name\n1,a,\n2,b,\n", findings="long_rows")
read("short, long and blank", b"phone,name\n1\n2,b,,\n\n3,c\n", rows=4, last="3/c",
     findings="blank_lines short_rows long_rows")  # fmt: skip
refused("a cell too many", b"phone,name\n1,a\n2,b,c\n", "3 cells, the header 2", row=2)
refused(
    "a title on a line of its own",
    b"List of 2026\n\nphone,name\n1,Bob\n",
    "(and 1 more row like it: 3); put a value that holds the delimiter ',' in double quotes; or is "
    "the first line a title?",
    row=2,
)
refused("cells too many in many rows", b"phone,name\n" + b"1,b,c\n" * 9, "8 more rows", row=1)
refused("a comma in a bare text", b"phone,text\n1,Hi Ann\n2,Hi, Bob\n", "double quotes", row=2)
refused("a title above the header", b"Customers 2026\nphone,name\n1,a\n", "the header 1", row=1)

# --- Headers -------------------------------------------------------------------------------------

read("the same name twice", b"phone,name,name\n1,a,b\n2,c,d\n", columns="phone name name_2",
     findings="duplicate_columns", first="1/a/b")  # fmt: skip
read("the same name three times", b"phone,x,x,x\n1,a,b,c\n", columns="phone x x_2 x_3", rows=1,
     findings="duplicate_columns")  # fmt: skip
read("a numbered name is taken", b"phone,x,x,x_2\n1,a,b,c\n", columns="phone x x_3 x_2", rows=1,
     findings="duplicate_columns")  # fmt: skip
read("names as polars makes them up", b"a,a_duplicated_0,a\n1,2,3\n", rows=1,
     columns="a a_duplicated_0 a_2", findings="duplicate_columns")  # fmt: skip
read("a column without a name", b",phone\n0,1\n1,2\n", columns="column_1 phone",
     findings="unnamed_columns")  # fmt: skip
read("a nameless column beside its namesake", b",column_1\n0,1\n", columns="column_1_ column_1",
     rows=1, findings="unnamed_columns")  # fmt: skip
read("thousands of empty columns", b"phone,name" + b"," * 16_382 + b"\n"
     + (b"1,a" + b"," * 16_382 + b"\n") * 3, rows=3, findings="empty_columns")  # fmt: skip
read("thousands of empty columns, in the header only", b"phone,name" + b";" * 0 + b"," * 5000
     + b"\n1,a\n2,b\n", findings="empty_columns short_rows")  # fmt: skip
read("one cell far out in nameless columns", b"phone,,,\n1,,,\n2,,x,\n", columns="phone column_3",
     last="2/x", findings="empty_columns unnamed_columns")  # fmt: skip
read("no header", b"9195550123,Ann\n9195550124,Bob\n", columns="column_1 column_2",
     findings="no_header", first="9195550123/Ann")  # fmt: skip
read("no header, one column", b"9195550123\n9195550124\n", columns="column_1", delimiter=None,
     findings="no_header")  # fmt: skip
read("no header, a number with punctuation", b"Ann;(919) 555-0123\nBob;(919) 555-0124\n",
     columns="column_1 column_2", delimiter=";", findings="no_header")  # fmt: skip
read("no header, quoted", b'"+19195550123","Ann"\n"+19195550124","Bob"\n',
     columns="column_1 column_2", findings="no_header")  # fmt: skip
read("no header, apostrophe before the plus", b"'+19195550123,Ann\n'+19195550124,Bob\n",
     columns="column_1 column_2", findings="no_header")  # fmt: skip
read("no header and a short first row", b"9195550123\n9195550124,Bob\n9195550125,Cy\n", rows=3,
     columns="column_1 column_2", findings="no_header short_rows")  # fmt: skip
read("a date as a name is no number", b"phone,2026-01-15\n1,x\n2,y\n", columns="phone 2026-01-15")
read("a year as a name", b"phone,2026\n1,x\n2,y\n", columns="phone 2026")
read("names with umlauts and spaces", "Téléphone mobile,Prénom\n1,a\n2,b\n".encode(),
     columns="Téléphone mobile|Prénom")  # fmt: skip
read("invisible characters around a name", "\u200bphone\ufeff,name\n1,a\n2,b\n".encode())
read("a hash before a name is no comment", b"#phone,name\n#1,a\n2,b\n", columns="#phone name",
     first="#1/a")  # fmt: skip
read("only the header's last line has an end", b"phone,name\n1,a", rows=1, last="1/a")
refused("a star as a name", b"phone,*\n1,a\n", "no column can have this name", column="*")
refused("a pattern as a name", b"phone,^a$\n1,a\n", "no column can have this name", column="^a$")
refused("header only", b"phone,name\n", "nothing to send")
refused("header without an end", b"phone,name", "nothing to send")
refused("header and blank lines", b"phone,name\n\n\n", "nothing to send")
refused("empty", b"", "the file is empty")
refused("only blank lines", b"\n\n\r\n", "the file is empty")
refused("only spaces", b"   \n  \n", "the file is empty")
refused("only a byte order mark", b"\xef\xbb\xbf", "the file is empty")

# --- Encodings -----------------------------------------------------------------------------------

READ_NAMES = {"delimiter": ";", "first": "9195550123/Renée", "last": "9195550124/Zoë Müller"}
GUESSED = {**READ_NAMES, "findings": "encoding"}

read("UTF-8", NAMES.encode(), **READ_NAMES)
read("UTF-8 with BOM", NAMES.encode("utf-8-sig"), **READ_NAMES)
read("UTF-8 with BOM and quotes", b'\xef\xbb\xbf"phone","name"\n"1","a"\n"2","b"\n', first="1/a")
read("UTF-8 with two BOMs", b"\xef\xbb\xbf" * 2 + TWO.encode(), first="9195550123/Ann")
read("UTF-8 whose BOM was taken for letters", b"\xef\xbb\xbf".decode("cp1252").encode()
     + TWO.encode(), first="9195550123/Ann")  # fmt: skip
read("cp1252 with the BOM of UTF-8", b"\xef\xbb\xbf" + NAMES.encode("cp1252"),
     encoding="cp1252", **GUESSED)  # fmt: skip
read("cp1252 with the BOM of UTF-8 and quotes", b'\xef\xbb\xbf"phone";"name"\n1;Ren\xe9e\n2;b\n',
     encoding="cp1252", delimiter=";", first="1/Renée", findings="encoding")  # fmt: skip
BOM, LETTERS = b"\xef\xbb\xbf", b"\xef\xbb\xbf".decode("cp1252").encode()
for encoding, person in (("cp1250", "Łukasz Święty Zażółć"), ("cp1251", "Иван Петров"),
                         ("shift_jis", "山田太郎 鈴木花子 日本")):  # fmt: skip
    content = BOM + f"phone;name\n1;{person}\n2;b\n".encode(encoding)
    read(f"{encoding} with the BOM of UTF-8", content, encoding=encoding, delimiter=";",
         first=f"1/{person}", findings="encoding")  # fmt: skip

LAST_FIRST = '"Smith, René",9195550123\n"Smith, Zoë",9195550124\n'
NUMBERED = {"columns": "column_1 column_2", "first": "Smith, René/9195550123"}
read("cp1252 with the BOM of UTF-8, no header", BOM + LAST_FIRST.encode("cp1252"),
     encoding="cp1252", findings="no_header encoding", **NUMBERED)  # fmt: skip
read("a BOM taken for letters, no header", LETTERS + LAST_FIRST.encode(), findings="no_header",
     **NUMBERED)  # fmt: skip
read(
    "a BOM taken for letters before a comma in quotes",
    LETTERS + b'"phone,mobile",name\n1,a\n2,b\n',
    columns="phone,mobile name",
    first="1/a",
)
for name, marks in (("a BOM taken for letters", LETTERS), ("two BOMs", BOM * 2)):
    read(f"{name} above bare numbers", marks + b"9195550123\n9195550124\n", columns="column_1",
         delimiter=None, findings="no_header", first="9195550123")  # fmt: skip

read("cp1252 with the BOM of UTF-8 and Excel's hint", BOM + b"sep=;\n" + NAMES.encode("cp1252"),
     encoding="cp1252", **GUESSED)  # fmt: skip
refused("UTF-8 with BOM and a character cut off", BOM + b"phone,name\n1,a\n2,Jos\xc3\n",
        "cannot be read as UTF-8", row=2, column="name")  # fmt: skip
refused("UTF-8 with BOM, more of it broken than right", BOM + "phone,name\n1,Zoë\n2,".encode()
        + b"\xff\xff\n", "cannot be read as UTF-8", row=2, column="name")  # fmt: skip
refused("UTF-16 with the BOM of UTF-8", BOM + NAMES.encode("utf-16-le"), "binary file")
for encoding, bom in (("utf-16-le", b"\xff\xfe"), ("utf-16-be", b"\xfe\xff")):
    read(f"{encoding} with BOM", bom + NAMES.encode(encoding), encoding="utf-16", **READ_NAMES)
    read(f"{encoding} without BOM", NAMES.encode(encoding), encoding=encoding, **READ_NAMES)

read("UTF-16 of Excel: tabs and CRLF", NAMES.replace(";", "\t").replace("\n", "\r\n")
     .encode("utf-16"), **{**READ_NAMES, "delimiter": "\t"}, encoding="utf-16")  # fmt: skip
read("UTF-32", NAMES.encode("utf-32"), encoding="utf-32", **READ_NAMES)
read("cp1252", NAMES.encode("cp1252"), encoding="cp1252", **GUESSED)
read("latin-1", NAMES.encode("latin-1"), encoding="cp1252", **GUESSED)
read("cp1252 with a euro and a dash", "phone;text\n1;5 € – ja\n2;“é”\n".encode("cp1252"),
     columns="phone text", delimiter=";", encoding="cp1252", findings="encoding",
     first="1/5 € – ja", last="2/“é”")  # fmt: skip
read("Mac OS Roman", NAMES.encode("mac_roman"), encoding="mac_roman", **GUESSED)
read("Polish in cp1250", "phone;name\n1;Łukasz Wałęsa\n2;Świętosław Żółć\n".encode("cp1250"),
     delimiter=";", encoding="cp1250", findings="encoding", first="1/Łukasz Wałęsa")  # fmt: skip
read("Russian in cp1251", "phone;name\n1;Иван Петров\n2;Привет, Москва\n".encode("cp1251"),
     delimiter=";", encoding="cp1251", findings="encoding", first="1/Иван Петров")  # fmt: skip
read("Greek in cp1253", "phone;name\n1;Γιώργος Παπαδόπουλος\n2;Αθήνα\n".encode("cp1253"),
     delimiter=";", encoding="cp1253", findings="encoding", last="2/Αθήνα")  # fmt: skip
read("Japanese in Shift JIS", "phone,name\n1,山田太郎\n2,こんにちは東京都\n".encode("shift_jis"),
     encoding="shift_jis", findings="encoding", first="1/山田太郎")  # fmt: skip
read("emoji", "phone,name\n1,👋🏽\n2,b\n".encode(), first="1/👋🏽")
read("a letter that ends in a zero, in UTF-16 without BOM", "phone,name\n1,Ā\n2,b\n"
     .encode("utf-16-le"), encoding="utf-16-le", first="1/Ā")  # fmt: skip
read("Chinese in UTF-16 without BOM", "phone,name\n9195550123,张三\n9195550124,李四\n"
     .encode("utf-16-le"), encoding="utf-16-le", last="9195550124/李四")  # fmt: skip
read("a NUL in a cell", b"phone,name\n1,a\0b\n2,c\n", findings="nul", first="1/ab")
read("zeros at the end, as a crash leaves them", TWO.encode() + bytes(64), last="9195550124/Bob")
refused("UTF-8 with a broken place", "phone,name\n1,é\n2,".encode() + b"\xff\n", "read as UTF-8",
        row=2, column="name")  # fmt: skip
refused("a header with a broken place", "phoné,na".encode() + b"\xffme\n1,a\n", "read as UTF-8")
refused("a broken place below a header of two lines", 'phone,"na\nme"\n1,é'.encode() + b"\xff\n",
        "read as UTF-8", row=1, column="na me")  # fmt: skip
refused("UTF-8 cut in a character", "phone,name\n1,éa\n2,é".encode()[:-1], "read as UTF-8", row=2)
refused("UTF-16 cut in a character", "phone,name\n1,éa\n".encode("utf-16") + b"\x31", "UTF-16",
        row=2)  # fmt: skip
refused("two encodings in one file", "phone,name\n1,é\n".encode() + "2,é\n".encode("cp1252"),
        "read as UTF-8", row=2, column="name")  # fmt: skip

# --- Packed --------------------------------------------------------------------------------------

read("gzip", gzip.compress(TWO.encode()), file="people.csv.gz", last="9195550124/Bob")
read("gzip named .csv", gzip.compress(TWO.encode()), last="9195550124/Bob")
read("gzip of two members", gzip.compress(TWO.encode()) + gzip.compress(b"3,c\n"), rows=3,
     last="3/c")  # fmt: skip
read("zstd", zstd.compress(TWO.encode()), file="people.csv.zst", last="9195550124/Bob")
read("zstd of two frames", zstd.compress(TWO.encode()) + zstd.compress(b"3,c\n"), rows=3,
     last="3/c")  # fmt: skip
read("gzip of cp1252", gzip.compress(NAMES.encode("cp1252")), encoding="cp1252", **GUESSED)
read(".csv.gz that is not packed", TWO.encode(), file="people.csv.gz")
refused("gzip cut short", gzip.compress(TWO.encode() * 99)[:-20], "damaged or cut short")
refused("zstd cut short", zstd.compress(TWO.encode() * 99)[:-9], "damaged or cut short")
refused("gzip with garbage behind", gzip.compress(TWO.encode()) + b"garbage", "damaged")
refused("packed twice", gzip.compress(gzip.compress(TWO.encode())), "packed twice")

# --- NDJSON --------------------------------------------------------------------------------------

JSON = {"encoding": "utf-8", "delimiter": None}
read("NDJSON", b'{"phone": "1", "name": "a"}\n{"phone": "2", "name": null}\n', last="2/", **JSON)
read("NDJSON named .csv", b'{"phone":1,"name":"a"}\n{"phone":2,"name":"b"}', first="1/a", **JSON)
read("NDJSON with numbers as they are spelled", b'{"phone":19195550123,"name":1.50}\n'
     b'{"phone":1.9195550123E+10,"name":true}\n', first="19195550123/1.50",
     last="1.9195550123E+10/true", **JSON)  # fmt: skip
read("NDJSON with keys that come late", b'{"phone":1}\n{"name":"b","phone":2}\n', first="1/",
     last="2/b", **JSON)  # fmt: skip
read("NDJSON with blank lines", b'{"phone":1,"name":"a"}\n\n{"phone":2,"name":"b"}\n\n', rows=3,
     findings="blank_lines", **JSON)  # fmt: skip
read("NDJSON with nested values", b'{"phone":1,"name":{"a":[1,"x"]}}\n', rows=1,
     first='1/{"a": [1, "x"]}', **JSON)  # fmt: skip
read("NDJSON in gzip", gzip.compress(b'{"phone":1,"name":"a"}\n'), rows=1, **JSON)
read("NDJSON with a line break in a value", b'{"phone":1,"name":"a\\nb"}\n', rows=1,
     first="1/a\nb", **JSON)  # fmt: skip
refused("NDJSON with a broken line", b'{"phone":1}\n{"phone":\n', "not a JSON object", row=2)
refused("NDJSON with an array among the objects", b'{"phone":1}\n[1]\n', "not an object", row=2)
refused("NDJSON with a key twice", b'{"phone":1,"phone":2}\n', "twice in one object", row=1)
refused("NDJSON nested without end", b'{"a":' + b"[" * 100_000 + b"\n", "not a JSON object", row=1)
refused("NDJSON that is not UTF-8", b'{"phone":1}\n{"name":"\xe9"}\n', "not UTF-8", row=2)
refused("NDJSON of objects without keys", b"{}\n{}", "no objects with keys")
refused("a JSON array", json.dumps([{"phone": 1}]).encode(), "one JSON array")
refused(
    "JSON over several lines", json.dumps({"phone": 1}, indent=1).encode(), "on one line", row=1
)

# --- Parquet and workbooks -----------------------------------------------------------------------


def parquet(frame: pl.DataFrame) -> bytes:
    buffer = BytesIO()
    frame.write_parquet(buffer)
    return buffer.getvalue()


def zipped(**files: bytes) -> bytes:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)

    return buffer.getvalue()


PEOPLE = [["phone", "name"], ["9195550123", "Ann"], ["9195550124", "Bob"]]
BINARY = {"encoding": None, "delimiter": None}
PARQUET = parquet(pl.DataFrame({"phone": [1, 2], "name": ["a", None]}))

read("Parquet", PARQUET, file="people.parquet", first="1/a", last="2/", **BINARY)
read("Parquet named .csv", PARQUET, first="1/a", **BINARY)
refused("Parquet without rows", parquet(pl.DataFrame({"phone": []})), "nothing to send")
refused("Parquet cut short", PARQUET[:-10], "damaged")
refused("Parquet's mark and nothing else", b"PAR1", "damaged")
refused("text named .parquet is read as text, and has no rows", b"phone\n", "nothing to send",
        file="people.parquet")  # fmt: skip

read("workbook", workbook(People=PEOPLE), file="people.xlsx", last="9195550124/Bob", **BINARY)
read("workbook named .csv", workbook(People=PEOPLE), first="9195550123/Ann", **BINARY)
read("workbook with numbers", workbook(P=[["phone", "name"], [19195550123, 1.5], [2.345e10, 7]]),
     first="19195550123/1.5", last="23450000000/7", **BINARY)  # fmt: skip
read("workbook with its first sheet empty", workbook(Empty=[], People=PEOPLE),
     last="9195550124/Bob", **BINARY)  # fmt: skip
read("workbook of two sheets", workbook(People=PEOPLE, Notes=[["x"]]), findings="sheets", **BINARY)
read("workbook with a blank row", workbook(P=[*PEOPLE[:2], [], PEOPLE[2]]), rows=3,
     findings="blank_lines", **BINARY)  # fmt: skip
read("workbook that begins in the middle", workbook(P=[[], [], *([None, *row] for row in PEOPLE)]),
     first="9195550123/Ann", **BINARY)  # fmt: skip
read(
    "workbook made of a text whose BOM was taken for letters",
    workbook(P=[["ï»¿phone", "name"], *PEOPLE[1:]]),
    **BINARY,
)
read("workbook without a header", workbook(P=PEOPLE[1:]), columns="column_1 column_2",
     findings="no_header", **BINARY)  # fmt: skip
read("workbook with a name twice", workbook(P=[["phone", "x", "x"], [1, 2, 3]]), rows=1,
     columns="phone x x_2", findings="duplicate_columns", **BINARY)  # fmt: skip
read("workbook with a nameless column", workbook(P=[["phone", None, "x"], [1, 2, 3]]), rows=1,
     columns="phone column_2 x", findings="unnamed_columns", **BINARY)  # fmt: skip
read("workbook in gzip", gzip.compress(workbook(P=PEOPLE)), last="9195550124/Bob", **BINARY)
refused("workbook without anything", workbook(P=[]), "the workbook is empty")
refused("workbook with a header only", workbook(P=PEOPLE[:1]), "nothing to send")
refused(
    "workbook whose first sheet is a note",
    workbook(Note=[["List of 2026"]], People=PEOPLE),
    "to read another one ('People'), write sheet",
)
refused("workbook cut short", workbook(P=PEOPLE)[:-100], "cannot be read")
refused("a ZIP archive of a CSV", zipped(people=TWO.encode()), "cannot be read", file="people.zip")
refused("an old or locked workbook", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "password")

# --- What people try besides ---------------------------------------------------------------------

refused("a web page named .xls", b"<html><table><tr><td>phone", "web page", file="people.xls")
refused("XML", b'\xef\xbb\xbf<?xml version="1.0"?><a/>', "XML")
refused("PDF", b"%PDF-1.7\n", "PDF")
refused("a picture", b"\x89PNG\r\n\x1a\n" + bytes(99), "picture")
refused("an SQLite database", b"SQLite format 3\0" + bytes(99), "SQLite")
refused("bzip2", b"BZh91AY&SY", "bzip2")
refused("every byte there is", bytes(range(256)) * 16, "binary file")
refused("zeros only", bytes(4096), "empty")
