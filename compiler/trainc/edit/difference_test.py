"""A diff is for people, and for files of people's size."""

from trainc.edit.difference import difference


def test_a_diff_shows_what_changes() -> None:
    assert difference("a", "x\n", "x\n") == ""
    assert difference("a", "x\r\ny\r\n", "x\r\nz\r\n").endswith("@@ -1,2 +1,2 @@\n x\n-y\n+z\n")


def test_a_large_file_is_not_compared() -> None:
    large = "x\n" * (3 << 20)
    assert difference("a", large, large) == ""
    assert "too large" in difference("a", large, f"y\n{large}")
