// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]

func library(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: settings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .testTarget(
        name: "\(name)Tests", dependencies: [.byName(name: name), "TestSupport"] + dependencies,
        path: "Tests/\(name)Tests", swiftSettings: settings)
}

let log = Target.Dependency.product(name: "Logging", package: "swift-log")
let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")

let package = Package(
    name: "allophone",
    products: [
        .executable(name: "allophone", targets: ["allophone"]),
        .library(name: "Allophone", targets: ["Allophone"]),
        // For C, C++, Rust and Python. The tests load the first; of the second `make capi` makes what needs no Swift.
        .library(name: "CAllophone", type: .dynamic, targets: ["CInterface"]),
        .library(name: "CAllophoneStatic", type: .static, targets: ["CInterface"]),
        .library(name: "PJRT", targets: ["PJRT"]),
        .library(name: "Tensor", targets: ["Tensor"]),
        .library(name: "XLA", targets: ["XLA"]),
        .library(name: "Native", targets: ["Native"]),
        .library(name: "NN", targets: ["NN"]),
        .library(name: "Audio", targets: ["Audio"]),
        .library(name: "Checkpoint", targets: ["Checkpoint"]),
        .library(name: "Datasets", targets: ["Datasets"]),
        .library(name: "Phonemes", targets: ["Phonemes"]),
        .library(name: "Tokenizer", targets: ["Tokenizer"]),
        .library(name: "Codec", targets: ["Codec"]),
        .library(name: "Metrics", targets: ["Metrics"]),
        .library(name: "Training", targets: ["Training"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    ],
    targets: [
        .target(name: "CPJRT"),
        .systemLibrary(name: "CSndfile"),
        .systemLibrary(name: "CSoxr"),
        .systemLibrary(name: "CEBUR128"),
        .systemLibrary(name: "CPNG"),
        .systemLibrary(name: "CZlib"),
        .systemLibrary(name: "CMalloc"),
        .target(name: "CLoaded"),
        .systemLibrary(name: "CCrypto"),
        library("PJRT", ["CPJRT"]),
        library("Tensor"),
        .target(name: "CKernels"),
        .target(name: "CXLAKernels", dependencies: ["CKernels"]),
        library("Processes"),
        library("XLA", ["Tensor", "PJRT", "CKernels", "CXLAKernels", "CMalloc", "CZlib", "Processes", log]),
        library("Threads"),
        library("Native", ["Tensor", "CKernels", "Threads"]),
        library("NN", ["Tensor"]),
        library("Audio", ["Tensor", "CSndfile", "CSoxr", "CEBUR128", "CPNG"]),
        library("Checkpoint", ["Tensor", "CZlib"]),
        library("Datasets", ["Audio", "Checkpoint", "Tensor", "Threads", "CLoaded", "CCrypto"]),
        library("Phonemes", ["Processes"]),
        library("Tokenizer", ["NN", "Audio", "Tensor", "Checkpoint", "Phonemes"]),
        library("Codec", ["Tokenizer", "Native", "NN", "Audio", "Tensor", "Checkpoint", "Phonemes"]),
        .target(
            name: "Allophone", dependencies: ["Codec", "Tokenizer", "Native", "Phonemes", "Audio", "Checkpoint"],
            path: "Sources/Umbrella", swiftSettings: settings),
        .systemLibrary(name: "CAllophone", path: "include"),
        library("CInterface", ["CAllophone", "Codec", "Tokenizer", "Native", "Checkpoint"]),
        library("Metrics", ["Audio"]),
        library(
            "Training",
            [
                "Codec", "Tokenizer", "Phonemes", "Datasets", "Metrics", "Checkpoint", "XLA", "NN", "Audio", "Tensor",
                "PJRT",
            ]),
        .executableTarget(
            name: "allophone",
            dependencies: [
                "Training", "Codec", "Native", "Tokenizer", "Phonemes", "Datasets", "Metrics", "Checkpoint",
                "Processes", "XLA", "Audio", "Tensor", "PJRT", arguments, log,
            ],
            swiftSettings: settings),
        .target(
            name: "TestSupport", dependencies: ["Tensor", "Native", "XLA", "PJRT", "NN", "Tokenizer", log],
            path: "Tests/TestSupport", swiftSettings: settings),
        tests("PJRT"),
        tests("Tensor"),
        tests("XLA", ["Tensor", "PJRT", "NN", log]),
        tests("Processes"),
        tests("CKernels"),
        tests("Threads"),
        tests("Native", ["Tensor"]),
        tests("NN", ["Tensor"]),
        tests("Audio", ["Tensor"]),
        tests("Checkpoint", ["Tensor"]),
        tests("Datasets", ["Audio", "Checkpoint", "Tensor", "CCrypto"]),
        tests("Phonemes", ["Tensor"]),
        tests("Tokenizer", ["NN", "Tensor", "XLA", "Audio", "Checkpoint", "Phonemes"]),
        tests("Metrics", ["Audio"]),
        // Runs the built program; depending on it is what builds it.
        .testTarget(
            name: "AllophoneTests",
            dependencies: [
                "allophone", "Training", "Tokenizer", "Datasets", "Metrics", "Checkpoint", "XLA", "NN", "Audio",
                "Tensor", "PJRT", "TestSupport", arguments, log,
            ],
            path: "Tests/AllophoneTests", swiftSettings: settings),
        tests(
            "Codec",
            ["Tokenizer", "Native", "Phonemes", "NN", "Tensor", "Checkpoint", "Audio", "Training", "XLA", "PJRT"]),
        // The example programs belong to a package of their own; here they are built for the tests.
        .executableTarget(name: "ExampleRoundtrip", dependencies: ["Allophone"], path: "Examples/Sources/roundtrip"),
        .executableTarget(name: "ExampleLive", dependencies: ["Allophone"], path: "Examples/Sources/live"),
        // Runs the examples, those in C and Python on the dynamic library, which every build makes.
        tests(
            "CInterface",
            [
                "CAllophone", "Allophone", "Codec", "Native", "Tokenizer", "Checkpoint", "Tensor", "ExampleRoundtrip",
                "ExampleLive",
            ]),
        tests(
            "Training",
            ["Tokenizer", "Codec", "Phonemes", "Datasets", "XLA", "NN", "Tensor", "Checkpoint", "Audio", "PJRT"]),
    ],
    swiftLanguageModes: [.v6]
)
