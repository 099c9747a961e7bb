// swift-tools-version: 6.2
//
// The targets stand in the order of the data's way: a log comes in, becomes queries, meets models, is
// measured, and an answer goes out. Arrows point upwards only.

import PackageDescription

/// Where libtorch lies: `LIBTORCH`, or the folder that `Scripts/bootstrap` fills.
let libtorch = Context.environment["LIBTORCH"] ?? "\(Context.packageDirectory)/.libtorch"

/// Where Arrow C++ lies: `ARROW`, or the folder that `Scripts/bootstrap` fills.
let arrow = Context.environment["ARROW"] ?? "\(Context.packageDirectory)/.arrow"

/// Vectors for the shim's own loop; libtorch's kernels choose theirs at run time.
#if arch(x86_64)
    let vectors = ["-march=x86-64-v3", "-DCPU_CAPABILITY=AVX2", "-DCPU_CAPABILITY_AVX2"]
#else
    let vectors: [String] = []
#endif

let settings: [SwiftSetting] = [.enableUpcomingFeature("ExistentialAny")]

/// Loops over millions of rows: optimized in debug builds too, where checks of overflow and bounds stay on.
let numeric = settings + [.unsafeFlags(["-O"], .when(configuration: .debug))]

/// The reader fills its columns and tables from one place only: what is checked elsewhere at every access, that nobody else
/// holds them, costs it a fifth of its time.
let reading = numeric + [.unsafeFlags(["-enforce-exclusivity=unchecked"])]

let package = Package(
    name: "wane",
    products: [
        .executable(name: "wane", targets: ["wane"]),
        // Opened when a command first needs tensors, so that the others start without libtorch.
        .library(name: "ctorch", type: .dynamic, targets: ["CTorchLibrary"]),
        // Opened when a log in Parquet or Arrow, or one in an object store, is first asked for.
        .library(name: "carrow", type: .dynamic, targets: ["CArrowLibrary"]),
        // Answers from a saved model, for other Swift programs: no training, no command.
        .library(name: "WanePrediction", targets: ["WanePrediction"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-configuration", from: "1.4.0", traits: ["JSON"]),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.8.0"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.27.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.30.0"),
    ],
    targets: [
        // Tensors
        .target(name: "CTorch", linkerSettings: [.linkedLibrary("dl")]),
        .target(
            name: "CTorchLibrary",
            dependencies: ["CTorch"],
            cxxSettings: [
                .unsafeFlags(
                    [
                        "-isystem", "\(libtorch)/include",
                        "-isystem", "\(libtorch)/include/torch/csrc/api/include",
                        "-fmodule-name=CTorch", "-O2", "-fvisibility=hidden",
                    ] + vectors)
            ],
            linkerSettings: [
                .unsafeFlags(["-L\(libtorch)/lib", "-Xlinker", "-rpath", "-Xlinker", "\(libtorch)/lib"]),
                .linkedLibrary("torch"), .linkedLibrary("torch_cpu"), .linkedLibrary("c10"),
            ]
        ),
        .target(name: "Torch", dependencies: ["CTorch"], swiftSettings: settings),

        // Logs, queries, measures, classical models: no libtorch
        // Needs Debian's libisal-dev.
        .target(name: "CGzip", cSettings: [.unsafeFlags(["-O2"])], linkerSettings: [.linkedLibrary("isal")]),
        .target(name: "CArrow", linkerSettings: [.linkedLibrary("dl")]),
        .target(
            name: "CArrowLibrary",
            dependencies: ["CArrow"],
            cxxSettings: [
                .unsafeFlags(
                    ["-isystem", "\(arrow)/include", "-fmodule-name=CArrow", "-O2", "-fvisibility=hidden"] + vectors)
            ],
            linkerSettings: [
                .unsafeFlags(["-L\(arrow)/lib", "-Xlinker", "-rpath", "-Xlinker", "\(arrow)/lib"]),
                .unsafeFlags(["-l:libarrow.so.2600", "-l:libparquet.so.2600"]),
            ]
        ),
        .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
        .systemLibrary(name: "CKafka", pkgConfig: "rdkafka", providers: [.apt(["librdkafka-dev"])]),
        .systemLibrary(name: "CPostgres", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        .target(name: "WaneEvents", dependencies: ["CArrow", "CGzip", "CZstd"], swiftSettings: reading),
        .target(name: "WaneCurves", swiftSettings: numeric),
        .target(name: "WaneState", dependencies: ["WaneEvents", "WaneCurves"], swiftSettings: numeric),
        .target(name: "WaneTasks", dependencies: ["WaneEvents", "WaneState"], swiftSettings: numeric),
        .target(name: "WaneSimulation", dependencies: ["WaneEvents", "WaneCurves"], swiftSettings: numeric),
        .target(name: "WaneMetrics", swiftSettings: numeric),
        .target(
            name: "WaneBaselines", dependencies: ["WaneTasks", "WaneMetrics", "WaneCurves"], swiftSettings: numeric),

        // Deep models, what is kept of them, and their answers
        .target(
            name: "WaneModels", dependencies: ["Torch", "WaneTasks", "WaneBaselines", "WaneCurves"],
            swiftSettings: settings),
        .target(name: "CExchange"),
        .target(
            name: "WaneBundle",
            dependencies: ["CExchange", "WaneModels", .product(name: "Crypto", package: "swift-crypto")],
            swiftSettings: settings),
        .target(name: "WanePrediction", dependencies: ["WaneBundle"], swiftSettings: numeric),
        .target(name: "WaneExplanation", dependencies: ["WanePrediction"], swiftSettings: settings),
        .target(
            name: "WaneTraining", dependencies: ["WanePrediction", "WaneSimulation"], swiftSettings: settings),
        .target(name: "WaneReport", dependencies: ["WaneTraining", "WaneExplanation"], swiftSettings: settings),

        // A service: what is stored, and what is answered over HTTP
        .target(
            name: "WaneStore",
            dependencies: [
                "CPostgres", "WaneEvents", .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "Crypto", package: "swift-crypto"),
            ],
            swiftSettings: settings),
        .target(name: "WaneKafka", dependencies: ["CKafka"], swiftSettings: settings),
        .target(
            name: "WaneServer",
            dependencies: [
                "CNumbers", "WaneKafka", "WaneStore", "WaneExplanation",
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "HummingbirdTLS", package: "hummingbird"),
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            resources: [
                .embedInCode("Dashboard/index.html"), .embedInCode("Dashboard/dashboard.css"),
                .embedInCode("Dashboard/dashboard.js"),
            ],
            swiftSettings: settings),

        // The command
        .target(name: "CNumbers", cSettings: [.unsafeFlags(["-O2"])]),
        .executableTarget(
            name: "wane",
            dependencies: [
                "CNumbers", "WaneReport", "WaneServer",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Configuration", package: "swift-configuration"),
            ],
            swiftSettings: settings),

        // Tests, in the same order
        .target(
            name: "TestSupport", dependencies: ["WaneTasks", "WaneSimulation"], path: "Tests/TestSupport",
            swiftSettings: settings),
        .testTarget(name: "EventTests", dependencies: ["WaneEvents", "TestSupport"], swiftSettings: settings),
        .testTarget(
            name: "StateTests", dependencies: ["WaneTasks", "WaneSimulation", "TestSupport"], swiftSettings: settings),
        .testTarget(
            name: "MeasureTests", dependencies: ["WaneMetrics", "WaneBaselines", "TestSupport"],
            swiftSettings: settings),
        .testTarget(
            name: "TensorTests", dependencies: ["WaneTraining", "WaneReport", "TestSupport"],
            swiftSettings: settings),
        .testTarget(name: "StoreTests", dependencies: ["WaneStore", "TestSupport"], swiftSettings: settings),
        .testTarget(
            name: "ServerTests",
            dependencies: [
                "CKafka", "wane", "WaneServer", "TestSupport",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
            ],
            swiftSettings: settings),
        .testTarget(
            name: "CommandTests",
            dependencies: [
                "wane", "WaneStore", "TestSupport", .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "GRDB", package: "GRDB.swift"),
            ],
            swiftSettings: settings),
    ],
    swiftLanguageModes: [.v6],
    cxxLanguageStandard: .cxx20
)
