"""What every Repository owes its callers. Subclass the suite and supply `repository`."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from shipline.domain.errors import ConflictError, InvalidValue, RefusedError
from shipline.ports.repository import Merged, Picked, Repository, Reverted, Stretch

NOW_US = 1_700_000_000_000_000


def commit(repository: Repository, name: str, content: str, *, key: str) -> str:
    """Change one file and commit it."""
    path = repository.root() / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode())
    return repository.commit_paths((name,), f"feat: {key}", key=key, time_us=NOW_US)


class RepositoryConformance:
    """Behaviour over the port alone; the supplied repository is empty and knows who commits."""

    @pytest.fixture
    def repository(self) -> Repository:
        raise NotImplementedError("supply an empty repository that has a work tree and an identity")

    def test_an_empty_repository_has_no_head(self, repository: Repository) -> None:
        assert repository.head() is None
        assert repository.is_shallow() is False

    def test_a_commit_becomes_head_and_reads_back(self, repository: Repository) -> None:
        made = commit(repository, "a.txt", "one", key="k1")
        (read,) = repository.log(())
        assert repository.head() == made == read.id
        assert (read.parents, read.time_us, read.message.splitlines()[0]) == ((), NOW_US, "feat: k1")
        assert repository.dirty_paths() == ()

    def test_a_branch_is_found_by_its_name_and_what_is_not_there_is_not(self, repository: Repository) -> None:
        made = commit(repository, "a.txt", "one", key="k1")
        branch = repository.branch()
        assert repository.find_commit(str(branch)) == repository.find_commit(f"refs/heads/{branch}") == made
        assert repository.find_commit("refs/remotes/origin/HEAD") is None
        assert repository.find_commit("--all") is None

    def test_a_detached_head_is_put_on_a_branch_that_loses_nothing_by_it(self, repository: Repository) -> None:
        first = commit(repository, "a.txt", "one", key="k1")
        main = str(repository.branch())
        repository.attach("topic")
        second = commit(repository, "a.txt", "two", key="k2")
        assert (repository.branch(), repository.find_commit(main)) == ("topic", first)
        for _ in range(2):
            repository.attach(main)
            assert (repository.branch(), repository.find_commit(main), repository.head()) == (main, second, second)
        ahead = commit(repository, "a.txt", "three", key="k3")
        repository.attach("other")
        subprocess.run(["git", "checkout", "--quiet", "--detach", first], cwd=repository.root(), check=True)
        with pytest.raises(RefusedError, match="has commits here"):
            repository.attach(main)
        assert (repository.branch(), repository.find_commit(main), repository.head()) == (None, ahead, first)
        with pytest.raises(InvalidValue):
            repository.attach("a..b")

    def test_catching_up_goes_forwards_and_loses_nothing(self, repository: Repository, tmp_path: Path) -> None:
        """Commits and tags of the remote come; what is here alone, or was changed by hand, stays, and is told."""
        elsewhere = str(tmp_path / "elsewhere.git")
        subprocess.run(["git", "init", "--quiet", "--bare", elsewhere], check=True)
        first = commit(repository, "a.txt", "1", key="k1")
        main = str(repository.branch())
        second = repository.commit_beside(first, {"a.txt": b"2"}, "feat: two", key="k2", time_us=NOW_US)
        repository.move_branch(elsewhere, main, second, expected=None)
        repository.create_tag("v2", second, "two", time_us=NOW_US)
        repository.push(elsewhere, ("refs/tags/v2",))
        repository.delete_tag("v2")
        (repository.root() / "a.txt").write_text("by hand")
        with pytest.raises(RefusedError):
            repository.catch_up(elsewhere, main)
        (repository.root() / "a.txt").write_text("1")
        assert [repository.catch_up(elsewhere, main) for _ in range(2)] == [second] * 2
        assert (repository.root() / "a.txt").read_text() == "2"
        assert (repository.dirty_paths(), repository.tag_names()) == ((), ("v2",))
        ahead = commit(repository, "a.txt", "3", key="k3")
        assert repository.catch_up(elsewhere, main) == ahead
        other = repository.commit_beside(second, {"b.txt": b"b"}, "feat: b", key="k4", time_us=NOW_US)
        repository.move_branch(elsewhere, main, other, expected=second)
        for branch in (main, "topic"):
            with pytest.raises(RefusedError):
                repository.catch_up(elsewhere, branch)
        assert repository.head() == ahead

    def test_committing_twice_with_one_key_is_committing_once(self, repository: Repository) -> None:
        made = commit(repository, "a.txt", "one", key="k1")
        assert commit(repository, "a.txt", "two", key="k1") == made
        assert commit(repository, "a.txt", "two", key="k2") != made

    def test_unchanged_paths_make_no_commit(self, repository: Repository) -> None:
        made = commit(repository, "a.txt", "one", key="k1")
        assert commit(repository, "a.txt", "one", key="k2") == made

    def test_a_commit_beside_moves_no_branch_and_touches_no_file(self, repository: Repository) -> None:
        base = commit(repository, "a.txt", "one", key="k1")
        head = commit(repository, "a.txt", "two", key="k2")
        contents = {"a.txt": b"beside", "deep/new.txt": b"new"}
        made = [repository.commit_beside(base, contents, "chore: release", key="k3", time_us=NOW_US) for _ in range(2)]
        assert made[0] == made[1]
        assert (repository.head(), repository.dirty_paths()) == (head, ())
        assert (repository.root() / "a.txt").read_text() == "two"
        assert repository.read_files(("a.txt", "deep/new.txt"), made[0]) == contents
        (read, below) = repository.log((), made[0])
        assert (read.parents, below.id) == ((base,), base)
        assert read.message.splitlines() == ["chore: release", "", "Shipline-Key: k3"]

    def test_a_commit_beside_deletes_what_has_no_content(self, repository: Repository) -> None:
        """Also what is not there."""
        commit(repository, "a.txt", "one", key="k1")
        base = commit(repository, "b.txt", "two", key="k2")
        made = repository.commit_beside(base, {"a.txt": None, "c.txt": None}, "chore: x", key="k3", time_us=NOW_US)
        assert repository.list_files(("",), made) == ("b.txt",)
        assert repository.list_files(("",)) == ("a.txt", "b.txt")

    def test_a_commit_may_have_several_keys(self, repository: Repository) -> None:
        """Each finds it again."""
        base = commit(repository, "a.txt", "one", key="k1")
        (repository.root() / "a.txt").write_text("two")
        message = "chore: x\n\nShipline-Key: k2"
        made = repository.commit_paths(("a.txt",), message, key="k3", time_us=NOW_US, base=base)
        assert next(repository.log(())).message.splitlines()[-2:] == ["Shipline-Key: k2", "Shipline-Key: k3"]
        for key in ("k2", "k3"):
            assert repository.commit_paths(("a.txt",), message, key=key, time_us=NOW_US, base=base) == made
        with pytest.raises(ConflictError):
            repository.commit_paths(("a.txt",), message, key="k4", time_us=NOW_US, base=base)

    def test_a_commit_beside_sets_plain_files_alone(self, repository: Repository) -> None:
        commit(repository, "a.txt", "one", key="k1")
        (repository.root() / "link").symlink_to("a.txt")
        (repository.root() / "folder").symlink_to(".")
        base = repository.commit_paths(("link", "folder"), "feat: links", key="k2", time_us=NOW_US)
        for path in ("link", "folder/a.txt"):
            with pytest.raises(RefusedError):
                repository.commit_beside(base, {path: b"x"}, "chore: release", key="k3", time_us=NOW_US)

    def test_only_the_named_paths_are_committed(self, repository: Repository) -> None:
        commit(repository, "a.txt", "one", key="k1")
        commit(repository, "b.txt", "one", key="k2")
        (repository.root() / "b.txt").write_text("mine")
        commit(repository, "a.txt", "two", key="k3")
        assert repository.dirty_paths() == ("b.txt",)

    def test_upon_a_base_a_trailer_alone_makes_no_commit_ours(self, repository: Repository) -> None:
        """Anybody can write one: the commit below is never ours, one above only right above."""
        hostile = commit(repository, "a.txt", "theirs", key="k1")
        (repository.root() / "a.txt").write_text("ours")
        ours = repository.commit_paths(("a.txt",), "x", key="k1", time_us=NOW_US, base=hostile)
        assert next(repository.log(())).parents == (hostile,)
        assert repository.commit_paths(("a.txt",), "x", key="k1", time_us=NOW_US, base=hostile) == ours
        with pytest.raises(ConflictError):
            repository.commit_paths(("a.txt",), "x", key="k2", time_us=NOW_US, base=hostile)
        commit(repository, "b.txt", "more", key="other")
        with pytest.raises(ConflictError):
            repository.commit_paths(("a.txt",), "x", key="k1", time_us=NOW_US, base=hostile)

    def test_authors_are_as_mailmap_has_them_and_as_they_named_themselves(self, repository: Repository) -> None:
        commit(repository, "a.txt", "one", key="k1")
        (own,) = {each.author_mail for each in repository.log((), mailmap=False)}
        commit(repository, ".mailmap", f"Eve <eve@example.org> <{own}>\n", key="k2")
        assert {each.author_mail for each in repository.log(())} == {"eve@example.org"}
        assert {each.author_mail for each in repository.log((), mailmap=False)} == {own}
        given = frozenset({own, "x@example.org", "no address", "", "-a\n"})
        assert repository.mapped_mails(given) == given - {own} | {"eve@example.org"}

    def test_the_log_is_newest_first_and_ends_at_since(self, repository: Repository) -> None:
        first, second, third = (commit(repository, "a.txt", text, key=text) for text in ("1", "2", "3"))
        assert [each.id for each in repository.log(())] == [third, second, first]
        assert [each.id for each in repository.log((first,))] == [third, second]
        assert [each.id for each in repository.log((first,), second)] == [second]

    def test_what_commits_have_in_common_is_found(self, repository: Repository) -> None:
        first, second, third = (commit(repository, "a.txt", text, key=text) for text in ("1", "2", "3"))
        assert repository.merge_base((third, second, third)) == second
        assert repository.merge_base((first, third)) == first
        assert repository.merge_base((third,)) == third

    def test_the_log_can_be_limited_to_paths_and_can_name_them(self, repository: Repository) -> None:
        first = commit(repository, "dir/a b.txt", "one", key="k1")
        second = commit(repository, "é.txt", "one", key="k2")
        assert [each.id for each in repository.log((), paths=("dir",))] == [first]
        named = repository.log((), changed_paths=True)
        assert [(each.id, each.paths) for each in named] == [(second, ("é.txt",)), (first, ("dir/a b.txt",))]

    def test_a_log_that_is_not_read_to_its_end_can_be_left(self, repository: Repository) -> None:
        for number in range(3):
            newest = commit(repository, "a.txt", str(number), key=str(number))
        assert next(repository.log(())).id == newest
        assert [each.id for each in repository.log((), limit=1)] == [newest]

    def test_files_are_read_from_the_commit_and_not_from_the_work_tree(self, repository: Repository) -> None:
        first = commit(repository, "a.txt", "one\r\n", key="k1")
        commit(repository, "a.txt", "two", key="k2")
        (repository.root() / "a.txt").write_text("mine")
        assert repository.read_files(("a.txt", "none.txt", ".")) == {"a.txt": b"two"}
        assert repository.read_files(("a.txt",), first) == {"a.txt": b"one\r\n"}
        assert repository.read_files(("none.txt",)) == {}

    def test_a_path_that_is_gone_is_deleted(self, repository: Repository) -> None:
        commit(repository, "a.txt", "one", key="k1")
        commit(repository, "b.txt", "one", key="k2")
        (repository.root() / "a.txt").unlink()
        (repository.root() / "c.txt").write_text("one")
        repository.commit_paths(("a.txt", "c.txt"), "both", key="k3", time_us=NOW_US)
        assert repository.list_files(("",)) == ("b.txt", "c.txt")
        assert repository.dirty_paths() == ()

    def test_files_are_listed_below_folders_of_the_commit(self, repository: Repository) -> None:
        first = commit(repository, "a/b c/é.txt", "one\n\ntwo\n", key="k1")
        commit(repository, "top.txt", "one", key="k2")
        assert repository.list_files(("",)) == ("a/b c/é.txt", "top.txt")
        assert repository.list_files(("",), first) == repository.list_files(("a/b c", "b")) == ("a/b c/é.txt",)
        assert repository.list_files(()) == repository.list_files(("none",)) == ()
        both = repository.read_files(("a/b c/é.txt", "top.txt"))
        assert both == {"a/b c/é.txt": b"one\n\ntwo\n", "top.txt": b"one"}

    def test_the_same_tag_again_changes_nothing_elsewhere_it_conflicts(self, repository: Repository) -> None:
        first = commit(repository, "a.txt", "one", key="k1")
        tag = repository.create_tag("v1.0.0", first, "One", time_us=NOW_US)
        assert (tag.commit, tag.time_us) == (first, NOW_US)
        second = commit(repository, "a.txt", "two", key="k2")
        assert repository.create_tag("v1.0.0", first, "One", time_us=NOW_US + 1) == tag
        with pytest.raises(ConflictError):
            repository.create_tag("v1.0.0", second, "Two", time_us=NOW_US)
        assert repository.find_tag("v1.0.0") == tag

    def test_what_an_annotated_tag_says_is_read_and_a_lightweight_one_says_nothing(
        self, repository: Repository
    ) -> None:
        first = commit(repository, "a.txt", "one", key="k1")
        repository.create_tag("v1.0.0", first, "One\n\n## é\n\nKey: 1", time_us=NOW_US)
        assert repository.tag_message("v1.0.0") == "One\n\n## é\n\nKey: 1\n"
        repository.move_tag("latest", first, remote="")
        assert repository.tag_message("latest") == repository.tag_message("v2") == ""

    def test_tags_are_found_by_their_exact_name_and_by_what_contains_them(self, repository: Repository) -> None:
        first = commit(repository, "a.txt", "one", key="k1")
        second = commit(repository, "a.txt", "two", key="k2")
        repository.create_tag("app/v1", first, "1", time_us=NOW_US)
        repository.create_tag("app/v2", second, "2", time_us=NOW_US + 1_000_000)
        assert [tag.name for tag in repository.merged_tags()] == ["app/v2", "app/v1"]
        assert [tag.name for tag in repository.merged_tags(first)] == ["app/v1"]
        assert [tag.name for tag in repository.merged_tags(first, names=("app/v1", "app/v2", "app"))] == ["app/v1"]
        assert [tag.name for tag in repository.surely_merged_tags(first, ("app/v1", "app/v2"))] == ["app/v1"]
        assert repository.tags() == repository.merged_tags()
        assert sorted(repository.tag_names()) == ["app/v1", "app/v2"]
        listing = repository.tag_listing()
        assert repository.tag_listing() == listing
        repository.create_tag("app/v3", second, "3", time_us=NOW_US)
        assert repository.tag_listing() != listing
        repository.delete_tag("app/v3")
        assert repository.tag_listing() == listing
        assert repository.find_tag("app") is None
        assert repository.find_tag("app/v*") is None

    def test_a_whole_history_is_read_as_its_commits_are(self, repository: Repository) -> None:
        first = commit(repository, "a.txt", "one", key="k1")
        second = commit(repository, "a.txt", "two", key="k2")
        known = {each.id: each for each in repository.log(())}
        entries = list(repository.log_entries())
        assert [(each.id, each.parents) for each in entries] == [(second, first), (first, "")]
        for entry in entries:
            read = known[entry.id]
            assert (entry.author, entry.message) == (read.author, read.message)

    def test_equal_changes_have_equal_patch_ids(self, repository: Repository) -> None:
        ids = [
            commit(repository, "a.txt", content, key=f"k{number}")
            for number, content in enumerate(["one\n", "two\n", "one\n", "two\n"])
        ]
        found = repository.patch_ids(tuple(ids))
        assert found[ids[1]] == found[ids[3]] != found[ids[2]]
        assert repository.patch_ids(()) == {}

    def test_files_are_listed_by_folder(self, repository: Repository) -> None:
        commit(repository, "notes/a.md", "one", key="k1")
        commit(repository, "b.md", "two", key="k2")
        assert repository.list_files(("notes",)) == ("notes/a.md",)
        assert repository.list_files(("missing",)) == repository.list_files(()) == ()
        assert sorted(repository.list_files(("",))) == ["b.md", "notes/a.md"]

    def test_a_remote_that_is_not_there_has_no_address(self, repository: Repository) -> None:
        assert repository.remote_address("origin") is None

    def test_a_deleted_tag_is_gone_and_deleting_again_is_nothing(self, repository: Repository) -> None:
        first = commit(repository, "a.txt", "one", key="k1")
        repository.create_tag("v1.0.0", first, "One", time_us=NOW_US)
        repository.delete_tag("v1.0.0")
        repository.delete_tag("v1.0.0")
        assert repository.find_tag("v1.0.0") is None

    @pytest.mark.parametrize("name", ["-d", "a b", "a..b", "", "x\n", "refs~1"])
    def test_a_name_that_cannot_be_a_tag_is_refused(self, repository: Repository, name: str) -> None:
        first = commit(repository, "a.txt", "one", key="k1")
        with pytest.raises(InvalidValue):
            repository.create_tag(name, first, "x", time_us=NOW_US)
        assert repository.merged_tags() == ()

    @pytest.mark.parametrize("revision", ["--output=x", "-1", "^HEAD", "HEAD..main", "nothing", "a\nb"])
    def test_what_does_not_name_a_commit_is_refused(self, repository: Repository, revision: str) -> None:
        commit(repository, "a.txt", "one", key="k1")
        with pytest.raises(InvalidValue):
            repository.merged_tags(revision)
        assert [path.name for path in repository.root().iterdir() if path.name != ".git"] == ["a.txt"]

    def test_what_is_tracked_is_known_for_files_and_folders(self, repository: Repository) -> None:
        commit(repository, "dir/a.txt", "one", key="k1")
        (repository.root() / "mine").mkdir()
        (repository.root() / "mine" / "b.txt").write_text("mine")
        assert repository.is_tracked("dir")
        assert repository.is_tracked("dir/a.txt")
        assert not repository.is_tracked("mine")
        assert not repository.is_tracked("d*")

    def test_an_export_is_the_commit_and_nothing_else(self, repository: Repository, tmp_path: Path) -> None:
        commit(repository, ".gitattributes", "secret.txt export-ignore\n", key="k0")
        first = commit(repository, "dir/secret.txt", "one", key="k1")
        (repository.root() / "dir" / "secret.txt").write_text("mine")
        (repository.root() / "other.txt").write_text("mine")
        destination = tmp_path / "out"
        destination.mkdir()
        repository.export(first, destination)
        files = {path.relative_to(destination).as_posix() for path in destination.rglob("*") if path.is_file()}
        assert files == {".gitattributes", "dir/secret.txt"}
        assert (destination / "dir" / "secret.txt").read_text() == "one"
        with pytest.raises(InvalidValue):
            repository.export(first, destination)

    def test_an_exported_tree_has_a_git_of_its_own_for_who_asks_for_a_version(
        self, repository: Repository, tmp_path: Path
    ) -> None:
        """That tag alone, on a tree that is as it was committed; and nothing that leads elsewhere."""
        first = commit(repository, "a.txt", "one", key="k1")
        for name in ("v1.0.0", "other-1.0.0"):
            repository.create_tag(name, first, name, time_us=NOW_US)
        commit(repository, "a.txt", "two", key="k2")
        destination = tmp_path / "exported"
        destination.mkdir()
        repository.export(first, destination, tag="v1.0.0")

        def asked(*arguments: str) -> str:
            command = ["git", "-C", str(destination), *arguments]
            return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

        assert asked("describe", "--dirty", "--long") == f"v1.0.0-0-g{first[:7]}"
        assert (asked("rev-parse", "HEAD"), asked("tag"), asked("remote")) == (first, "v1.0.0", "")
        assert asked("ls-files") == "a.txt"

    def test_a_lightweight_tag_moves_and_an_annotated_one_does_not(self, repository: Repository) -> None:
        first = commit(repository, "a.txt", "one", key="k1")
        second = commit(repository, "a.txt", "two", key="k2")
        repository.create_tag("v1.0.0", first, "1", time_us=NOW_US)
        for target in (second, first, first):
            repository.move_tag("latest", target, remote="")
            assert repository.find_commit("refs/tags/latest") == target
        with pytest.raises(ConflictError, match="annotated"):
            repository.move_tag("v1.0.0", second, remote="")
        assert repository.find_commit("refs/tags/v1.0.0^{commit}") == first

    def test_a_tag_that_moved_meanwhile_is_not_moved_back(self, repository: Repository, tmp_path: Path) -> None:
        """What the remote says counts, and not what was fetched some time ago."""
        first, second, third = (commit(repository, "a.txt", text, key=text) for text in ("1", "2", "3"))
        elsewhere = str(tmp_path / "elsewhere.git")
        subprocess.run(["git", "init", "--quiet", "--bare", elsewhere], check=True)
        repository.create_tag("v1.0.0", first, "1", time_us=NOW_US)
        repository.push(elsewhere, ("refs/tags/v1.0.0",))
        repository.move_tag("latest", third, remote=elsewhere)
        repository.move_tag("latest", second, remote="")
        names = ("latest", "v1.0.0", "none")
        assert repository.tags_on(elsewhere, names) == {"latest": third, "v1.0.0": first}
        assert repository.tags_on("", names) == {"latest": second, "v1.0.0": first}
        assert repository.tags_on(elsewhere, None) == {"latest": third, "v1.0.0": first}
        assert repository.tags_on("", None) == {"latest": second, "v1.0.0": first}
        with pytest.raises(ConflictError, match="has moved"):
            repository.move_tag("latest", first, remote=elsewhere, expected=second)
        with pytest.raises(ConflictError, match="has moved"):
            repository.move_tag("latest", first, remote=elsewhere, expected="")
        assert repository.tags_on(elsewhere, ("latest",)) == {"latest": third}
        for _ in range(2):
            repository.move_tag("latest", first, remote=elsewhere, expected=third)
        assert repository.tags_on(elsewhere, ("latest",)) == repository.tags_on("", ("latest",)) == {"latest": first}
        repository.move_tag("edge", first, remote=elsewhere, expected="")
        assert repository.tags_on(elsewhere, ("edge",)) == {"edge": first}

    def test_how_a_file_differs_is_told_in_hunks(self, repository: Repository) -> None:
        """Of exactly that path, glob or not, without what a setting would add to it."""
        before = commit(repository, "*.txt", "one\ntwo\n", key="k0")
        commit(repository, "a.txt", "else", key="k1")
        until = commit(repository, "*.txt", "one\n--- three\n", key="k2")
        assert repository.difference(before, until, "*.txt") == "@@ -1,2 +1,2 @@\n one\n-two\n+--- three\n"
        assert repository.difference(before, until, "b.txt") == ""

    def test_changes_are_taken_back_upon_what_came_later(self, repository: Repository) -> None:
        """Of the named paths alone, in a commit beside every branch."""
        lines = "".join(f"{number}\n" for number in range(20))
        before = commit(repository, "a.txt", lines, key="k0")
        commit(repository, "b.txt", "b", key="k1")
        until = commit(repository, "a.txt", lines.replace("3\n", "drei\n"), key="k2")
        assert repository.changed_paths(before, until) == ("a.txt", "b.txt")
        head = commit(repository, "a.txt", lines.replace("3\n", "drei\n") + "later\n", key="k3")

        def revert(*paths: str) -> Reverted:
            return repository.revert_beside(head, Stretch(before, until, paths), "revert: it", key="r", time_us=NOW_US)

        made = revert("a.txt")
        assert made == revert("a.txt")
        assert made.conflicts == ()
        both = ("a.txt", "b.txt")
        assert repository.read_files(both, str(made.commit)) == {"a.txt": f"{lines}later\n".encode(), "b.txt": b"b"}
        assert tuple(repository.read_files(both, str(revert(*both).commit))) == ("a.txt",)
        (read,) = repository.log((head,), str(made.commit))
        assert (read.parents, read.time_us) == ((head,), NOW_US)
        assert read.message == "revert: it\n\nShipline-Key: r\n"
        assert (repository.head(), repository.dirty_paths()) == (head, ())

    def test_what_was_changed_again_since_is_a_conflict_and_what_is_gone_is_nothing(
        self, repository: Repository
    ) -> None:
        before = commit(repository, "a.txt", "one\n", key="k0")
        until = commit(repository, "a.txt", "two\n", key="k1")
        changed = commit(repository, "a.txt", "three\n", key="k2")
        gone = commit(repository, "a.txt", "one\n", key="k3")

        def revert(base: str) -> Reverted:
            return repository.revert_beside(
                base, Stretch(before, until, ("a.txt",)), "revert: it", key="r", time_us=NOW_US
            )

        assert revert(changed) == Reverted(None, ("a.txt",))
        assert revert(gone) == Reverted(gone)

    def test_changes_are_carried_over_in_commits_that_say_whose_they_are(self, repository: Repository) -> None:
        """To what has gone on meanwhile, and beside every branch."""
        lines = "".join(f"{number}\n" for number in range(20))
        before = commit(repository, "a.txt", lines, key="k0")
        fix = commit(repository, "a.txt", lines.replace("3\n", "drei\n"), key="k1")
        more = commit(repository, "new folder/b.txt", "b", key="k2")
        base = repository.commit_beside(
            before, {"a.txt": f"{lines}later\n".encode()}, "feat: x", key="x", time_us=NOW_US + 5_000_000
        )
        head = repository.head()
        made = repository.pick_beside(base, (fix, more))
        assert made == repository.pick_beside(base, (fix, more))
        assert [each for each, _ in made.made] == [fix, more]
        files = repository.read_files(("a.txt", "new folder/b.txt"), str(made.commit))
        expected = lines.replace("3\n", "drei\n") + "later\n"
        assert files == {"a.txt": expected.encode(), "new folder/b.txt": b"b"}
        newest, oldest = repository.log((base,), str(made.commit))
        assert (newest.id, oldest.parents) == (made.commit, (base,))
        assert (oldest.time_us, oldest.author) == (NOW_US + 5_000_000, next(iter(repository.log((), fix))).author)
        assert oldest.message == f"feat: k1\n\nShipline-Key: k1\n(cherry picked from commit {fix})\n"
        ids = repository.patch_ids((fix, oldest.id))
        assert ids[fix] == ids[oldest.id]
        assert (repository.head(), repository.dirty_paths()) == (head, ())

    def test_what_two_changed_differently_is_carried_over_by_a_person_and_what_is_there_is_nothing(
        self, repository: Repository
    ) -> None:
        before = commit(repository, "a.txt", "one\n", key="k0")
        fix = commit(repository, "a.txt", "two\n", key="k1")
        other = repository.commit_beside(before, {"a.txt": b"three\n"}, "feat: x", key="x", time_us=NOW_US)
        same = repository.commit_beside(before, {"a.txt": b"two\n"}, "feat: y", key="y", time_us=NOW_US)
        assert repository.pick_beside(other, (fix,)) == Picked(None, (), fix, ("a.txt",))
        assert repository.pick_beside(same, (fix,)) == repository.pick_beside(same, ()) == Picked(same)
        # The first commit of all adds its files to what has none of them.
        apart = repository.commit_beside(fix, {"a.txt": None, "b.txt": b"b"}, "feat: z", key="z", time_us=NOW_US)
        made = repository.pick_beside(apart, (before,))
        assert repository.read_files(("a.txt", "b.txt"), str(made.commit)) == {"a.txt": b"one\n", "b.txt": b"b"}

    def test_a_branch_is_started_once_and_touches_no_file(self, repository: Repository) -> None:
        first, second = (commit(repository, "a.txt", text, key=text) for text in ("1", "2"))
        for _ in range(2):
            repository.start_branch("topic/a", first)
            assert repository.find_commit("refs/heads/topic/a") == first
        with pytest.raises(ConflictError, match="there is a branch topic/a here"):
            repository.start_branch("topic/a", second)
        assert (repository.head(), repository.dirty_paths()) == (second, ())
        with pytest.raises(InvalidValue):
            repository.start_branch("a..b", first)

    def test_a_commit_can_be_made_beside_branch_index_and_work_tree(self, repository: Repository) -> None:
        head = commit(repository, "a.txt", "one", key="k1")
        (repository.root() / "a.txt").write_text("mine")
        files = {"a.txt": b"two\r\n", "new folder/b.txt": b"b"}
        message = "chore: release\n\nShipline-Key: k1"
        made = repository.commit_beside(head, files, message, key="k2", time_us=NOW_US)
        assert repository.commit_beside(head, files, message, key="k2", time_us=NOW_US) == made
        assert repository.head() == head
        assert repository.dirty_paths() == ("a.txt",)
        assert repository.read_files(tuple(files), made) == files
        (read,) = repository.log((head,), made)
        assert (read.parents, read.time_us) == ((head,), NOW_US)
        assert read.message.splitlines()[-2:] == ["Shipline-Key: k1", "Shipline-Key: k2"]

    def test_a_merge_is_made_beside_every_branch(self, repository: Repository) -> None:
        """As a merge of both, or as one commit; what is contained is nothing new, and conflicts are told."""
        root = commit(repository, "a.txt", "1", key="1")
        base = commit(repository, "b.txt", "2", key="2")
        head = repository.commit_beside(root, {"c.txt": b"3"}, "feat: three", key="3", time_us=NOW_US)
        other = repository.commit_beside(root, {"b.txt": b"4"}, "feat: four", key="4", time_us=NOW_US)
        both = repository.merge_beside(base, head, "Merge three")
        one = repository.merge_beside(base, head, "feat: three (#3)", squash=True)
        assert both == repository.merge_beside(base, head, "Merge three")
        for made, parents in ((both, (base, head)), (one, (base,))):
            assert made.commit is not None
            assert repository.list_files(("",), made.commit) == ("a.txt", "b.txt", "c.txt")
            assert next(iter(repository.log((base,), made.commit, limit=1))).parents == parents
        assert repository.merge_beside(base, root, "Merge one") == Merged(base)
        assert repository.merge_beside(base, other, "Merge four") == Merged(None, ("b.txt",))
        assert repository.head() == base

    def test_a_commit_elsewhere_is_fetched_if_it_is_handed_out(self, repository: Repository, tmp_path: Path) -> None:
        made = commit(repository, "a.txt", "1", key="1")
        elsewhere = str(tmp_path / "elsewhere.git")
        subprocess.run(["git", "init", "--quiet", "--bare", elsewhere], check=True)
        subprocess.run(["git", "-C", elsewhere, "fetch", "--quiet", repository.root(), made], check=True)
        assert repository.fetch_commit(elsewhere, made)
        assert not repository.fetch_commit(elsewhere, "0123456789" * 4)
        with pytest.raises(InvalidValue):
            repository.fetch_commit(elsewhere, "main")

    def test_a_branch_elsewhere_is_moved_only_from_where_it_is_expected(
        self, repository: Repository, tmp_path: Path
    ) -> None:
        """In any direction: who comes second finds it moved, and changes nothing."""
        first, second = (commit(repository, "a.txt", text, key=text) for text in ("1", "2"))
        elsewhere = str(tmp_path / "elsewhere.git")
        subprocess.run(["git", "init", "--quiet", "--bare", elsewhere], check=True)
        assert repository.fetch_branch(elsewhere, "topic") is None
        repository.move_branch(elsewhere, "topic", second, expected=None)
        for wrong in (None, first):
            with pytest.raises(ConflictError):
                repository.move_branch(elsewhere, "topic", first, expected=wrong)
        assert repository.fetch_branch(elsewhere, "topic") == second
        repository.move_branch(elsewhere, "topic", first, expected=second)
        assert repository.fetch_branch(elsewhere, "topic") == first

    @pytest.mark.parametrize("name", ["a..b", "", "a b"])
    def test_what_is_no_branch_is_neither_fetched_nor_moved(self, repository: Repository, name: str) -> None:
        made = commit(repository, "a.txt", "1", key="1")
        with pytest.raises(InvalidValue):
            repository.fetch_branch("elsewhere", name)
        with pytest.raises(InvalidValue):
            repository.move_branch("elsewhere", name, made, expected=None)
