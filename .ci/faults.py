"""Plants one fault for every rule of the house into a small tree, and sees that exactly this rule finds it."""

import pathlib
import shutil
import subprocess
import tempfile

CLEAN = """\
/* A comment with fatalError() and a /* nested */ try! in it. */
func greet(_ name: String, _ pairs: [(Int, Int)] = [(1, 2), (3, 4)]) -> String {
    let raw = #"as! "quoted" \\(name)"#
    return "unsafe \\(name + "(try!") \\(raw)"
}
"""
PACKAGE = """\
// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("InternalImportsByDefault"),
    .strictMemorySafety(), .treatAllWarnings(as: .error),
]

let package = Package(
    name: "sample",
    targets: [
        .target(name: "HTTP", swiftSettings: settings),
        .target(name: "JSON", swiftSettings: settings),
    ]
)
"""
LONG = "func long() {\n" + "    print()\n" * 59 + "}\n"

# rule, file, what is written into it (or replaced: old, new), what the finding says
FAULTS = [
    ("budgets", "Sources/HTTP/Long.swift", "let a = 1\n" * 401, "401 lines"),
    ("budgets", "Tests/HTTPTests/Wide.swift", f"// {'x' * 118}\n", "121 columns"),
    ("budgets", "Sources/HTTP/Long.swift", LONG, "long has 61 lines"),
    ("budgets", "Sources/HTTP/Wide.swift", "func wide(a: Int, b: Int, c: Int, d: Int, e: Int, f: Int,\n"
     "    g: Int = max(1, 2)) {}\n", "wide takes 7 values"),
    ("wrappers", "Sources/HTTP/C.swift", "internal import CJansson\n", "only a wrapper may import CJansson"),
    ("wrappers", "Sources/HTTP/C.swift", "import Glibc\n", "only a wrapper may import Glibc"),
    ("wrappers", "Sources/JSON/C.swift", "public import struct Foundation.Data\n", "Foundation"),
    ("wrappers", "Sources/HTTP/Danger.swift", "let a = unsafe b\n", "unsafe outside"),
    ("wrappers", "Sources/HTTP/Danger.swift", "func a(_ b: UnsafeRawPointer) {}\n", "UnsafeRawPointer outside"),
    ("traps", "Sources/HTTP/Trap.swift", 'let a = "\\(1)"; let b = try! c()\n', "try!"),
    ("traps", "Sources/JSON/Trap.swift", "fatalError()\n", "fatalError"),
    ("traps", "Sources/HTTP/Later.swift", "// TO" "DO: later\n", "TO" "DO"),
    ("traps", "Sources/HTTP/JSONUtils.swift", "\n", "says nothing"),
    ("tracked_text", "Docs/install.md", "cd /wo" "rk/archway\n", "one machine"),
    ("every_directive_explained", "systemd/archway.socket", ("# Read and write for the web server's group, nothing for others.", ""),
     "SocketMode has no reason"),
    ("units", "systemd/archway.socket", ("ListenStream=", "ListenStraem="), "ListenStraem"),
    ("units", "systemd/archway.service", ("\nCapabilityBoundingSet=\n", "\n"), "exposure"),
    ("package", "Package.swift", ('name: "HTTP"', 'name: "HTTP", dependencies: ["JSON"]'), "HTTP may not use JSON"),
    ("package", "Package.swift", (".strictMemorySafety(), ", ""), "without strictMemorySafety"),
    ("package", "Package.swift", ('name: "JSON"', 'name: "JSAN"'), "not a module"),
    ("format_lint", "Sources/HTTP/Format.swift", "func  a(){}\n", "Spacing"),
]


def plant(house):
    failures = []
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        _lay_out(root)
        for rule in house.RULES:
            failures += [f"{rule.__name__} complains about a clean tree: {found}" for found in rule(root)]
        for name, file, change, expected in FAULTS:
            found = _with(root, file, change, getattr(house, name))
            if not any(expected in finding for finding in found):
                failures.append(f"{name} does not see '{expected}' in {file}: {found}")
    untested = {rule.__name__ for rule in house.RULES} - {name for name, *_ in FAULTS}
    failures += [f"no fault is planted for {name}" for name in untested]
    for failure in failures:
        print(failure)
    print(f"house rules: {len(FAULTS)} faults planted, {len(failures)} wrong")
    return 1 if failures else 0


def _lay_out(root):
    here = pathlib.Path(__file__).resolve().parent.parent
    shutil.copytree(here / "systemd", root / "systemd")
    shutil.copy(here / ".swift-format", root)
    (root / "Package.swift").write_text(PACKAGE)
    for name in ("Sources/HTTP/Clean.swift", "Sources/JSON/Clean.swift"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(CLEAN)
    subprocess.run(["git", "init", "--quiet"], cwd=root, check=True)
    subprocess.run(["git", "add", "."], cwd=root, check=True)


def _with(root, file, change, rule):
    """What `rule` finds while the fault is there."""
    path = root / file
    before = path.read_text() if path.exists() else None
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(change if isinstance(change, str) else _replaced(before, *change))
    subprocess.run(["git", "add", "--all"], cwd=root, check=True)
    try:
        return list(rule(root))
    finally:
        path.write_text(before) if before is not None else path.unlink()


def _replaced(text, old, new):
    if old not in text:
        raise ValueError(f"the text to break is gone: {old!r}")
    return text.replace(old, new)
