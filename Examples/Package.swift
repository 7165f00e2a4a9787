// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "examples",
    dependencies: [.package(name: "allophone", path: "..")],
    targets: [
        .executableTarget(name: "roundtrip", dependencies: [.product(name: "Allophone", package: "allophone")]),
        .executableTarget(name: "live", dependencies: [.product(name: "Allophone", package: "allophone")]),
    ],
    swiftLanguageModes: [.v6]
)
