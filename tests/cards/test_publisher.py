"""Publisher: the recipe names it, and manifest, licences and answers say whom to write to."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

import data_cards
from flows import contains
from flows.release import note_publisher
from malmoi import recipe as recipes
from malmoi.errors import CallError, DataError
from malmoi.publisher import Publisher
from malmoi.releases import residual_pii, residue
from malmoi.releases.manifest import Manifest
from malmoi.releases.publish import publish
from malmoi.releases.residue import outcomes
from malmoi.releases.verification.sha256sums import seal
from malmoi.releases.verification.verify import verify
from tests.builders.small_release import documents, inputs, sealed

MAIL = "takedown@corpus.example"
TEAM = Publisher(name="가상 말뭉치 모임", contact=MAIL, url="https://corpus.example/about")
TOP = 'extends = "general"\nname = "own"\npurpose = "A test."\n'
STRICT = outcomes(residue.KINDS, "quarantine")  # every find stops the release


def make(root: Path, publisher: Publisher) -> Path:
    folder = root / "r"
    (root / "tmp").mkdir()
    given = replace(inputs(root / "in", documents()), publisher=publisher, second_look=STRICT)
    publish(given, folder, tmp=root / "tmp")
    data_cards.write(folder)
    residual_pii.refuse_texts(folder)
    seal(folder)
    return folder


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("named"), TEAM)


def test_a_recipe_names_the_publisher_and_a_recipe_that_extends_it_replaces_it_whole(tmp_path: Path) -> None:
    base, own = tmp_path / "base.toml", tmp_path / "own.toml"
    base.write_text(f'{TOP}[publisher]\nname = "가상 모임"\ncontact = "{MAIL}"\n', encoding="utf-8")
    assert recipes.load(base).publisher == Publisher(name="가상 모임", contact=MAIL)
    own.write_text(TOP.replace("general", "base.toml"), encoding="utf-8")
    assert recipes.load(own).publisher == recipes.load(base).publisher
    own.write_text(f'{own.read_text("utf-8")}[publisher]\nname = "다른 모임"\n', encoding="utf-8")
    assert recipes.load(own).publisher == Publisher(name="다른 모임")
    assert recipes.load(own).digest() == recipes.load(base).digest()


WRONG = [
    ('contact = "somebody"', "[publisher]: key 'contact': neither a mail address nor"),
    ('contact = "a@b"', "key 'contact'"),
    ('contact = "a@b.kr\\n"', "key 'contact'"),
    ('contact = "javascript:alert(1)"', "key 'contact'"),
    ('url = "https://a.kr/<b>"', "key 'url'"),
    ('url = "a@b.kr"', "key 'url'"),
    ('name = "a\\u001bb"', "key 'name'"),
    ("name = 7", "key 'name'"),
    ('mail = "a@b.kr"', "unknown key 'mail'. Known keys: name, contact, url."),
]


@pytest.mark.parametrize(("line", "says"), WRONG, ids=[line for line, _ in WRONG])
def test_a_wrong_publisher_is_refused_with_its_key(tmp_path: Path, line: str, says: str) -> None:
    path = tmp_path / "own.toml"
    path.write_text(f"{TOP}[publisher]\n{line}\n", encoding="utf-8")
    with pytest.raises(CallError) as error:
        recipes.load(path)
    assert says in str(error.value) and str(path) in str(error.value)


def test_the_manifest_names_the_publisher_and_is_as_before_without_one(named: Path, tmp_path: Path) -> None:
    text = (named / "manifest.json").read_text(encoding="utf-8")
    assert json.loads(text)["publisher"] == {"name": TEAM.name, "contact": MAIL, "url": TEAM.url}
    assert Manifest.from_json(text).publisher == TEAM and Manifest.from_json(text).to_json() == text
    assert "publisher" not in json.loads((sealed(tmp_path) / "manifest.json").read_text(encoding="utf-8"))
    with pytest.raises(DataError, match="not a manifest"):
        Manifest.from_json(text.replace(MAIL, "somebody"))


def test_the_address_of_the_publisher_is_no_residue_and_the_release_verifies(named: Path) -> None:
    assert MAIL in (named / "LICENSE.md").read_text(encoding="utf-8")
    assert verify(named, render=data_cards.render_card) == []


def test_any_other_address_is_residue_still(tmp_path: Path) -> None:
    mail = "takedown@corpus.re.kr"
    folder = make(tmp_path, Publisher(name=TEAM.name, contact=mail))
    for name, text in (("a.txt", f"not-{mail}, {mail}.kr"), ("b.txt", "hong@example.kr"), ("c.txt", f"문의: {mail}로")):
        (folder / name).write_text(text, encoding="utf-8")
    found = residual_pii.find_in_texts(folder, STRICT)
    assert [(one.file, one.kind, one.count) for one in found] == [("a.txt", "email", 2), ("b.txt", "email", 1)]


def test_a_publisher_with_a_phone_number_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"the recipe: the second detector.*phone in `publisher`"):
        make(tmp_path, Publisher(name="문의 010-0000-1234"))


def test_an_answer_and_its_statement_say_whom_to_write_to(named: Path, tmp_path: Path) -> None:
    for release, says in ((named, f"write to {TEAM.name}, {MAIL}."), (make(tmp_path, Publisher()), "gave no contact.")):
        said = contains.ask_address(release, "https://ga.example.kr/1")["predicate"]
        assert said.get("publisher") == (TEAM.model_dump() if release == named else None)
        assert says in "\n".join(contains.spell_answer(release, said))
        assert says in (release / "LICENSE.md").read_text(encoding="utf-8")


def test_the_first_tiles_name_the_publisher_and_the_share_that_rests_on_the_operator(
    named: Path, tmp_path: Path
) -> None:
    unnamed = make(tmp_path, Publisher())
    for page, nobody in (("index.html", "not named"), ("index.ko.html", "밝히지 않음")):
        for release, publisher in ((named, TEAM.name), (unnamed, nobody)):
            tiles = re.findall(
                r"<div><b[^>]*>(.*?)</b><span>(.*?)</span>", (release / page).read_text(encoding="utf-8")
            )
            values = [re.sub("<[^>]*>", "", value) for value, _ in tiles]
            assert values[2:4] == ["0.00 %", publisher], page
            assert "note or decision of the operator" in tiles[2][1] or "운영자의 메모나 결정" in tiles[2][1]


@pytest.mark.parametrize(
    ("publisher", "says"),
    [
        (Publisher(), "the recipe has no publisher;"),
        (Publisher(contact=MAIL), "the recipe has no name of the publisher;"),
        (Publisher(name="가상 모임"), "the recipe has no contact of the publisher;"),
        (TEAM, ""),
    ],
)
def test_a_run_says_that_nobody_is_named_and_what_to_do(publisher: Publisher, says: str) -> None:
    found = list(note_publisher(publisher))
    assert len(found) == bool(says)
    assert all(says in one and "Add [publisher] with name and contact to a recipe of your own" in one for one in found)
