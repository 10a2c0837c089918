"""How states look and what they mean to a reader: their kinds, marks and sentences, for every output alike."""

from snapproof.verdict import Conclusion, State

KIND_OF_STATE = {
    State.PASS: "good",
    State.NOT_SUPPORTED: "aside",
    State.XFAIL: "known",
    State.NOT_RUN: "idle",
    State.NOT_TESTABLE: "idle",
    State.XPASS: "bad",
    State.FAIL: "bad",
    State.TIMEOUT: "bad",
    State.DRIVER_CRASH: "bad",
    State.HARNESS_ERROR: "ours",
}
MARK_OF_KIND = {"good": "✓", "aside": "⊘", "known": "≈", "idle": "○", "bad": "✗", "ours": "!"}
KIND_OF_EXIT_CODE = {0: "good", 1: "bad", 2: "idle", 3: "ours"}
MEANINGS = {
    State.PASS: "every Then was seen to hold",
    State.NOT_SUPPORTED: "the driver does not declare the capability",
    State.XFAIL: "a deviation that the driver's profile declares",
    State.NOT_RUN: "filtered, skipped, interrupted or never written",
    State.NOT_TESTABLE: "the lab lacks a power that a step needs",
    State.XPASS: "a declared deviation that is no more",
    State.FAIL: "the driver did not do what is required",
    State.TIMEOUT: "the scenario took longer than a run allows",
    State.DRIVER_CRASH: "the driver's process died although nobody killed it",
    State.HARNESS_ERROR: "our fault, not the driver's",
}
CONSEQUENCES = {
    Conclusion.CONFORMANT: "Every requirement of the set was seen to hold, or asks for what the driver leaves out.",
    Conclusion.WITH_DEVIATIONS: "All holds but what the driver's profile owns up to; the deviations stand below.",
    Conclusion.PARTIAL: "Not all was seen: something did not run or could not be tested, so nothing is claimed.",
    Conclusion.NOT_CONFORMANT: "At least one requirement was seen not to hold.",
    Conclusion.HARNESS_ERROR: "The suite itself failed, so nothing is said about the driver until that is mended.",
}


def duration(seconds: float) -> str:
    """Write a duration as briefly as it can be read."""
    if seconds < 0.001:
        return "< 1 ms"
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    return f"{seconds // 60:.0f} min {seconds % 60:.0f} s"
