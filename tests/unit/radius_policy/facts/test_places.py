"""Where files lie: the same program keeps its place through updates and users, and shared folders are nobody's home."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radius_policy.facts.places import KINDS, home, place, root_of, under


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            r"C:\Users\ann\AppData\Local\chat\app-1.2.3\chat.exe",
            r"c:\users\BOB\AppData\Local\Chat\app-1.10.0-beta2\chat.exe",
        ),
        (r"C:\Users\ann\AppData\Local\chat\app-nightly-20260101\chat.exe", r"C:\Users\ann\AppData\Local\chat\chat.exe"),
        (r"C:\Program Files\Tool 12.1\tool.exe", r"C:\Program Files\Tool 12.2\tool.exe"),
        (
            r"C:\Program Files\Edge\Application\120.0.2210.91\edge.exe",
            r"C:\Program Files\Edge\Application\121.0.2277.83\edge.exe",
        ),
        ("/opt/jdk-17.0.2/bin/java", "/opt/jdk-21.0.1+12/bin/java"),
        ("/home/ann/.local/share/app/v2.1/app", "/home/bob/.local/share/app/v2.2/app"),
        (
            r"C:\Windows\assembly\NativeImages_v4.0.30319_64\System.Core\0a1b2c3d\System.Core.ni.exe",
            r"C:\Windows\assembly\NativeImages_v4.0.30319_64\System.Core\ffee0011\System.Core.ni.exe",
        ),
    ],
)
def test_an_update_or_another_user_does_not_change_the_place(one: str, other: str) -> None:
    assert place(one).root == place(other).root


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (r"C:\Program Files\Zoom\zoom.exe", r"C:\Users\ann\Downloads\zoom.exe"),
        (r"C:\Users\ann\AppData\Local\chat\chat.exe", r"C:\Users\ann\AppData\Local\Temp\chat.exe"),
        ("/usr/bin/ls", "/usr/Bin/ls"),
        ("/opt/a/x", "/opt/b/x"),
    ],
)
def test_different_folders_stay_different(one: str, other: str) -> None:
    assert place(one).root != place(other).root


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        (r"C:\Windows\System32\svchost.exe", "system"),
        (r"C:\Windows\Temp\svc.exe", "temp"),
        (r"C:\Users\ann\Downloads\x.exe", "downloads"),
        (r"C:\Users\ann\AppData\Roaming\x.exe", "user"),
        (r"C:\Program Files (x86)\App\a.exe", "programs"),
        (r"D:\data\a.exe", "other"),
        ("/usr/bin/ls", "system"),
        ("/usr/local/bin/x", "programs"),
        ("/tmp/x", "temp"),
        ("/dev/shm/x", "temp"),
        ("/home/ann/x", "user"),
    ],
)
def test_the_kind_of_a_folder_is_a_coarse_word(path: str, kind: str) -> None:
    assert place(path).kind == kind


@pytest.mark.parametrize(
    ("path", "folder"),
    [
        (r"C:\Program Files\App\Update.exe", r"c:\program files\app"),
        (r"C:\Program Files\App\Updater\update.exe", r"c:\program files\app"),
        (r"C:\Users\ann\AppData\Local\chat\Update.exe", r"c:\users\ann\appdata\local\chat"),
        ("/opt/app/bin/updater", "/opt/app"),
    ],
)
def test_a_program_has_the_folder_it_lies_in_as_home(path: str, folder: str) -> None:
    assert home(path) == folder


@pytest.mark.parametrize(
    "path",
    [
        r"C:\Windows\System32\svchost.exe",
        r"C:\Program Files\Update.exe",
        r"C:\Users\ann\AppData\Local\Update.exe",
        r"C:\Users\ann\AppData\Local\Temp\Update.exe",
        r"C:\Users\ann\Update.exe",
        r"C:\Users\ann\Downloads\Update.exe",
        r"C:\Update.exe",
        r"C:\Users\ann\AppData\Local\Programs\Update.exe",
        "/usr/bin/apt",
        "/home/ann/updater",
        "/tmp/a/b/updater",
        "updater",
        "",
    ],
)
def test_a_folder_that_strangers_share_is_nobodys_home(path: str) -> None:
    assert home(path) is None


@given(st.text())
def test_whatever_is_sent_as_a_path_has_a_place(text: str) -> None:
    here = place(text)
    assert here.kind in KINDS
    assert root_of(here.folder) == here.root
    home(text)


@given(st.sampled_from(["/opt/app", r"c:\program files\app", "/"]), st.text(alphabet="abc", min_size=1, max_size=5))
def test_under_means_in_the_folder_and_not_beside_it(folder: str, tail: str) -> None:
    separator = "\\" if "\\" in folder else "/"
    assert under(folder + ("" if folder.endswith("/") else separator) + tail, folder)
    assert folder == "/" or not under(folder + tail, folder)
