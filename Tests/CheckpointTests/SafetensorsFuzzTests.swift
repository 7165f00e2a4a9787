import Checkpoint
import Foundation
import Tensor
import TestSupport
import Testing

@Suite struct SafetensorsFuzzTests {
    @Test func damagedFilesAreReadRightlyOrRefused() async throws {
        let path = NSTemporaryDirectory() + "allophone-fuzz.safetensors"
        await #expect(processExitsWith: .success, "the reader did not survive \(path)") { [path = path as String] in
            let valid = try contents(of: fixture("checkpoint_reference.safetensors"))
            try Fuzzing.run { seed in
                var mutator = Mutator(seed: seed)
                try write(damaged(valid, &mutator), to: path)
                do {
                    let file = try SafetensorsFile(path: path)
                    let arrays = try file.arrays()
                    let byteCount = arrays.values.reduce(0) { $0 + $1.bytes.count }
                    #expect(try byteCount < contents(of: path).count, "seed \(seed)")
                    #expect(arrays.mapValues(\.type) == file.types, "seed \(seed)")
                    // As the weights of a model are read.
                    let wide = arrays.filter { [.bf16, .f16].contains($0.value.dtype) }
                        .mapValues { $0.converted(to: .f32) }
                    let read = try file.arrays(
                        matching: wide.mapValues(\.type), finite: false, allowingExtra: true, widening: true)
                    #expect(read == wide, "seed \(seed)")
                } catch is SafetensorsError {
                } catch {
                    Issue.record(error, "seed \(seed)")
                }
            }
        }
        try FileManager.default.removeItem(atPath: path)
    }
}

/// Numbers that overflow where a reader multiplies, adds or counts in fewer bits.
private let numbers = [
    "0", "1", "4294967296", "4611686018427387904", "9223372036854775807", "18446744073709551616",
]

/// Damage anywhere, or in the header alone and with its length set right, so that the parser sees it.
private func damaged(_ valid: [UInt8], _ mutator: inout Mutator) -> [UInt8] {
    if Int.random(in: 0..<4, using: &mutator) == 0 { return mutator.mutated(valid) }
    let headerEnd = 8 + Int(valid[0]) + Int(valid[1]) << 8
    var json = Array(valid[8..<headerEnd])
    if Bool.random(using: &mutator) {
        json = mutator.mutated(json)
    } else {
        let digits = json.indices.filter { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(json[$0]) }
        if let place = digits.randomElement(using: &mutator), let number = numbers.randomElement(using: &mutator) {
            json.replaceSubrange(place...place, with: Array(number.utf8))
        }
    }
    let data =
        Bool.random(using: &mutator) ? Array(valid[headerEnd...]) : mutator.mutated(Array(valid[headerEnd...]))
    return withUnsafeBytes(of: UInt64(json.count).littleEndian) { Array($0) } + json + data
}
