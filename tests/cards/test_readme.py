"""README of a release: one language in each file, code that runs as it stands, and whom to write to."""

import json
import re
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

import data_cards
from malmoi.publisher import Publisher
from malmoi.releases.publish import publish
from tests.builders.small_release import documents, inputs

NAMES = ("README.md", "README.ko.md")
TEAM = Publisher(name="Fictional Corpus Team", contact="takedown@corpus.example", url="https://corpus.example/about")


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("readme")
    (root / "tmp").mkdir()
    publish(replace(inputs(root / "in", documents(40)), publisher=TEAM), root / "1.0.0", tmp=root / "tmp")
    data_cards.write(root / "1.0.0")
    return root / "1.0.0"


def read(release: Path, name: str) -> str:
    """The text of a README without its header."""
    text = (release / name).read_text(encoding="utf-8")
    return text.split("---\n", 2)[2] if name == "README.md" else text


def list_strings(value: Any) -> Iterator[str]:
    if isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from list_strings(one)
    elif isinstance(value, str):
        yield value


def read_prose(release: Path, name: str) -> str:
    """What a README says in its own words: without code, and without strings of the sources and the recipe."""
    manifest = json.loads((release / "manifest.json").read_text(encoding="utf-8"))
    words = [*list_strings(manifest["sources"]), manifest["purpose"], *manifest["publisher"].values()]
    prose = re.sub(r"```.*?```|`[^`]*`|<[^>]*>", "", read(release, name), flags=re.DOTALL)
    for one in sorted(filter(None, words), key=len, reverse=True):
        prose = prose.replace(one, "")
    return prose


def test_the_english_text_has_no_korean_but_the_name_of_the_other_file(release: Path) -> None:
    assert re.findall("[가-힣]+", read_prose(release, "README.md")) == ["한국어"]


def test_the_korean_text_has_no_english_sentence(release: Path) -> None:
    prose = read_prose(release, "README.ko.md")
    assert "[English](README.md)" in prose
    assert (
        re.findall(r"(?:\b[A-Za-z][a-z]+,? ){3,}", prose.replace("Creative Commons", "").replace("MIT License", ""))
        == []
    )
    for line in prose.splitlines():
        assert not re.match(r"[#|*]* ?[A-Z][a-z]+ [a-z]+", line), line


def test_only_the_readme_that_hubs_read_has_a_header(release: Path) -> None:
    assert (release / "README.md").read_text(encoding="utf-8").startswith("---\n")
    assert (release / "README.ko.md").read_text(encoding="utf-8").startswith("# ")


@pytest.mark.parametrize("name", NAMES)
def test_the_code_opens_configurations_and_files_that_the_release_has(
    release: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    header = yaml.safe_load((release / "README.md").read_text(encoding="utf-8").split("---\n", 2)[1])
    splits = {one["config_name"]: {file["split"] for file in one["data_files"]} for one in header["configs"]}
    opened = []

    class Stream:
        def select_columns(self, names: list[str]) -> "Stream":
            return self

    def load_dataset(path: str, config: str, *, split: str, streaming: bool = False) -> Stream:
        assert Path(path).resolve() == release and split in splits[config]
        opened.append(config)
        return Stream()

    # Neither is installed here; tests/foreign runs the libraries themselves.
    for module, member in (("datasets", "load_dataset"), ("torch.utils.data", "DataLoader")):
        fake = ModuleType(module)
        setattr(fake, member, load_dataset if module == "datasets" else lambda stream, batch_size: stream)
        monkeypatch.setitem(sys.modules, module, fake)
    monkeypatch.chdir(release.parent)  # `datasets` cannot open "."
    found: dict[str, Any] = {}
    blocks = re.findall(r"```python\n(.*?)```", read(release, name), re.DOTALL)
    for block in blocks:
        exec(block, found)
    assert len(blocks) == 3 and opened == ["default", "semiconductor-share-alike", "default"]
    assert found["table"].num_rows == header["dataset_info"][0]["splits"][0]["num_examples"]
    assert set(found["table"]["license"].to_pylist()) == {"LicenseRef-KOGL-1"}


@pytest.mark.parametrize("name", NAMES)
def test_every_link_leads_to_a_file_of_the_release(release: Path, name: str) -> None:
    links = re.findall(r"\]\(([^)]+)\)", read(release, name))
    assert {"LICENSE.md"} < set(links)
    assert [one for one in links if not (release / one).is_file()] == []


@pytest.mark.parametrize("name", NAMES)
def test_each_configuration_is_listed_with_its_documents(release: Path, name: str) -> None:
    header = yaml.safe_load((release / "README.md").read_text(encoding="utf-8").split("---\n", 2)[1])
    text = read(release, name)
    for one in header["dataset_info"]:
        rows = sum(split["num_examples"] for split in one["splits"])
        listed = re.search(rf"^\|.* `{one['config_name']}` \|.* \| {rows} \|", text, re.MULTILINE)
        assert bool(listed) is not one["config_name"].startswith("morphemes"), one["config_name"]


@pytest.mark.parametrize(
    ("name", "says"), [("README.md", "gave no contact"), ("README.ko.md", "연락처를 밝히지 않았습니다")]
)
def test_the_text_says_whom_to_write_to_or_that_there_is_no_contact(release: Path, name: str, says: str) -> None:
    card, manifest = (json.loads((release / f"{n}.json").read_text(encoding="utf-8")) for n in ("card", "manifest"))
    with_contact = data_cards.render_card(card, manifest)[name]
    assert all(f"<{one}>" in with_contact for one in (TEAM.contact, TEAM.url)) and says not in with_contact
    assert f"author = {{{TEAM.name}}}" in with_contact and TEAM.name in with_contact
    del manifest["publisher"]
    without = data_cards.render_card(card, manifest)[name]
    assert says in without and TEAM.name not in without and "malmoi contains" in without


@pytest.mark.parametrize("name", NAMES)
def test_each_licence_stands_with_its_duty_and_its_share(release: Path, name: str) -> None:
    card = json.loads((release / "card.json").read_text(encoding="utf-8"))
    text = read(release, name)
    for _, licence, n, _, _, share in card["tables"]["by_licence"]["rows"]:
        assert re.search(
            rf"^\| [^|]+ \| `[^|]*{re.escape(licence)}` \| [^|]+ \| {n} \| {share} \|$", text, re.MULTILINE
        ), licence
