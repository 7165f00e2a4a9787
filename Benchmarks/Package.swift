// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "benchmarks",
    dependencies: [
        .package(name: "allophone", path: ".."),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    ],
    targets: [
        .executableTarget(
            name: "bench",
            dependencies: [
                .product(name: "Checkpoint", package: "allophone"),
                .product(name: "Codec", package: "allophone"),
                .product(name: "Datasets", package: "allophone"),
                .product(name: "NN", package: "allophone"),
                .product(name: "Native", package: "allophone"),
                .product(name: "PJRT", package: "allophone"),
                .product(name: "Tensor", package: "allophone"),
                .product(name: "Tokenizer", package: "allophone"),
                .product(name: "Training", package: "allophone"),
                .product(name: "XLA", package: "allophone"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),
        .executableTarget(
            name: "bench-data",
            dependencies: [
                .product(name: "Audio", package: "allophone"),
                .product(name: "Datasets", package: "allophone"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),
        // By itself, as it needs neither XLA nor models.
        .executableTarget(
            name: "bench-sources",
            dependencies: [
                .product(name: "Datasets", package: "allophone"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),
    ],
    swiftLanguageModes: [.v6]
)
