// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
    // Else nothing is inlined or specialised across our modules: the path of a request crosses seven of them.
    .unsafeFlags(["-cross-module-optimization"], .when(configuration: .release)),
]

/// Tests may use Foundation and unchecked conveniences; a worker may not.
let testSettings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
]

/// Rounding a `Double` calls libm, which nothing else links where Foundation is not imported.
let linker: [LinkerSetting] = [.linkedLibrary("m")]

func module(
    _ name: String, _ dependencies: [Target.Dependency] = [], resources: [Resource]? = nil
) -> Target {
    .target(
        name: name, dependencies: dependencies, resources: resources, swiftSettings: settings,
        linkerSettings: linker)
}

/// A library that tests share.
func tool(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .target(
        name: name, dependencies: dependencies, path: "Tests/\(name)", swiftSettings: testSettings)
}

/// The fuzzer's program, which only `make fuzz` can link: its `main` is libFuzzer's.
let fuzzer: [Target] =
    Context.environment["ARCHWAY_FUZZ"] == nil
    ? []
    : [
        .executableTarget(
            name: "fuzz", dependencies: ["EventLoop", "FuzzTargets"], path: "Tests/Fuzz/Runner",
            swiftSettings: testSettings)
    ]

func suite(_ module: String, _ more: [Target.Dependency] = [], resources: [Resource] = []) -> Target
{
    .testTarget(
        name: "\(module)Tests",
        dependencies: [.byName(name: module)] + more,
        resources: resources,
        swiftSettings: testSettings)
}

let package = Package(
    name: "archway",
    products: [.executable(name: "archway", targets: ["archway"])],
    targets: [
        // One shell per C library: a module map and one header.
        .systemLibrary(name: "CLinux"),
        .systemLibrary(name: "CFastCGI"),
        .systemLibrary(name: "CPostgreSQL", pkgConfig: "libpq"),
        .systemLibrary(name: "CJansson", pkgConfig: "jansson"),
        .systemLibrary(name: "CCurl", pkgConfig: "libcurl"),
        .systemLibrary(name: "CYAML", pkgConfig: "yaml-0.1"),
        .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto"),
        .systemLibrary(name: "CXML", pkgConfig: "libxml-2.0"),

        // Foundations.
        module("EventLoop", ["CLinux"]),
        module("System", ["CLinux", "EventLoop"]),
        module("HTTP"),
        module("JSON", ["CJansson"]),
        module("YAML", ["CYAML"]),
        module("HTML", ["CXML"]),
        module("Markdown"),
        module("Crypto", ["COpenSSL"]),
        module("FastCGI", ["CFastCGI", "CLinux", "EventLoop", "HTTP"]),
        module("HTTPClient", ["CCurl", "EventLoop", "HTTP"]),
        module("PostgreSQL", ["CPostgreSQL", "EventLoop"]),

        // The domain.
        module("OpenAI", ["HTTP", "JSON"]),
        module("Providers", ["OpenAI", "HTTP", "JSON", "Markdown"]),
        .target(
            name: "Store",
            dependencies: ["PostgreSQL", "EventLoop", "JSON"],
            resources: [.embedInCode("Migrations")],
            swiftSettings: settings),

        // The house and its door.
        module(
            "Gateway",
            [
                "Crypto", "EventLoop", "FastCGI", "HTML", "HTTP", "HTTPClient", "JSON", "Markdown",
                "OpenAI", "PostgreSQL", "Providers", "Store", "System", "YAML",
            ],
            resources: [.embedInCode("Development/archway-snippet.conf")]),
        .executableTarget(
            name: "archway", dependencies: ["Gateway", "System"], swiftSettings: settings),

        // Tools of the tests.
        tool("ScriptedProvider", ["EventLoop", "HTTP", "JSON"]),
        .executableTarget(
            name: "scripted-provider", dependencies: ["EventLoop", "ScriptedProvider"],
            path: "Tests/ScriptedProviderTool", swiftSettings: testSettings),
        .executableTarget(
            name: "load-client", dependencies: ["EventLoop", "HTTP", "ScriptedProvider"],
            path: "Tests/LoadClient", swiftSettings: testSettings),

        tool("History", []),
        tool("Trials", ["EventLoop", "History", "ScriptedProvider", "System", "TestSupport"]),
        .executableTarget(
            name: "soak", dependencies: ["EventLoop", "TestSupport", "Trials", "archway"],
            path: "Tests/Soak", swiftSettings: testSettings),

        // Readers of foreign bytes, as the fuzzer and a suite feed them.
        .target(
            name: "FuzzTargets",
            dependencies: ["CJansson", "EventLoop", "FastCGI", "HTTP", "JSON"],
            path: "Tests/Fuzz/Targets", swiftSettings: testSettings),
        .testTarget(
            name: "FuzzTests", dependencies: ["EventLoop", "FuzzTargets"],
            swiftSettings: testSettings),
        .testTarget(
            name: "DeploymentTests", dependencies: ["FastCGI", "HTTP"], swiftSettings: testSettings),
        .testTarget(
            name: "EndToEndTests",
            dependencies: [
                "EventLoop", "FuzzTargets", "HTTP", "History", "JSON", "ScriptedProvider", "System",
                "TestSupport", "Trials", "archway",
            ],
            exclude: ["clients"],
            swiftSettings: testSettings),
        .testTarget(
            name: "DevelopmentTests",
            dependencies: ["EventLoop", "System", "TestSupport", "archway"],
            swiftSettings: testSettings),
        suite("EventLoop"),
        suite("History"),
        suite("FastCGI", ["EventLoop", "FuzzTargets", "HTTP", "System", "TestSupport"]),
        suite("System", ["EventLoop", "TestSupport"]),
        suite("HTTP"),
        .testTarget(
            name: "HTTPClientTests",
            dependencies: ["EventLoop", "HTTP", "HTTPClient", "TestSupport"],
            swiftSettings: testSettings,
            // So that libcurl asks the test's own resolver for names.
            linkerSettings: [.unsafeFlags(["-Xlinker", "--export-dynamic-symbol=getaddrinfo"])]),
        suite("ScriptedProvider", ["EventLoop", "HTTP", "HTTPClient", "JSON"]),
        suite("JSON", ["FuzzTargets"], resources: [.copy("Fixtures")]),
        suite("YAML"),
        suite("HTML"),
        suite("Markdown"),
        suite("Crypto"),
        suite("OpenAI", ["FuzzTargets", "HTTP", "JSON"], resources: [.copy("Fixtures")]),
        suite("Providers", ["HTTP", "JSON", "OpenAI"], resources: [.copy("Fixtures")]),
        suite(
            "Gateway",
            [
                "Crypto", "EventLoop", "FastCGI", "HTTP", "HTTPClient", "JSON", "OpenAI",
                "PostgreSQL", "Providers", "Store", "System", "TestSupport", "YAML",
            ]),
        suite("PostgreSQL", ["EventLoop", "TestSupport"]),
        suite("Store", ["EventLoop", "PostgreSQL", "TestSupport"]),
        .target(
            name: "TestSupport", dependencies: ["EventLoop", "ScriptedProvider", "System"],
            path: "Tests/TestSupport", swiftSettings: testSettings),
    ] + fuzzer
)
