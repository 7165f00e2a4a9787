import CKernels
import Foundation
import Testing

/// Queries, keys and values, and attention by its definition: both rotated by absolute positions.
private struct Case {
    let heads: Int, shared: Int, width: Int, valueWidth: Int, window: Int
    let past: Int, rows: Int
    let rotates: Bool
    let q: [Float], keys: [Float], values: [Float]

    init(heads: Int, shared: Int, width: Int, valueWidth: Int, window: Int, past: Int, rows: Int, rotates: Bool = true)
    {
        var noise = Noise(heads + width)
        (self.heads, self.shared, self.width, self.valueWidth) = (heads, shared, width, valueWidth)
        (self.window, self.past, self.rows, self.rotates) = (window, past, rows, rotates)
        q = noise.floats(rows * heads * width, 2)
        keys = noise.floats((past + rows) * shared * width, 2)
        values = noise.floats((past + rows) * shared * valueWidth)
    }

    private func angle(_ position: Int, _ pair: Int) -> Double {
        Double(position) * pow(10_000, -2 * Double(pair) / Double(width))
    }

    /// Over a ring of so many slots in which the first query's key is in slot `first`; a row at a time or all.
    func run(slots: Int, first: Int, byRow: Bool = false) -> [Float] {
        let half = width / 2
        let angles = (0..<window).flatMap { age in (0..<half).map { angle(age, $0) } }
        let (cosines, sines) = (Memory(angles.map { Float(cos($0)) }), Memory(angles.map { Float(sin($0)) }))
        var shape = ck_attention(
            heads: heads, shared_heads: shared, width: width, value_width: valueWidth, window: window,
            cosines: rotates ? cosines.start : nil, sines: rotates ? sines.start : nil)
        func ring(_ x: [Float], _ width: Int) -> [Float] {
            var ring = [Float](repeating: .nan, count: slots * width)
            for row in 0..<(past + rows) {
                let slot = ((first - past + row) % slots + slots) % slots
                for c in 0..<width { ring[slot * width + c] = x[row * width + c] }
            }
            return ring
        }
        let (keyWidth, valuesWidth, yWidth) = (shared * width, shared * valueWidth, heads * valueWidth)
        let (keys, values, q, y) = (
            Memory(ring(keys, keyWidth)), Memory(ring(values, valuesWidth)), Memory(q),
            Memory([Float](repeating: 0, count: rows * yWidth))
        )
        let scratch = Memory([Float](repeating: 0, count: ck_attention_scratch(&shape)))
        for row in 0..<(byRow ? rows : 1) {
            ck_attention_run(
                &shape, q.start! + row * heads * width, heads * width, keys.start, keyWidth, values.start, valuesWidth,
                slots, (first + row) % slots, past + row, byRow ? 1 : rows, scratch.start, y.start! + row * yWidth,
                yWidth)
        }
        return y.array
    }

    func reference() -> [Double] {
        func turned(_ x: [Float], _ start: Int, _ position: Int) -> [Double] {
            let half = width / 2
            guard rotates else { return x[start..<start + width].map(Double.init) }
            var y = [Double](repeating: 0, count: width)
            for i in 0..<half {
                let (a, b, phi) = (Double(x[start + i]), Double(x[start + half + i]), angle(position, i))
                (y[i], y[half + i]) = (a * cos(phi) - b * sin(phi), b * cos(phi) + a * sin(phi))
            }
            return y
        }
        return (0..<rows).flatMap { row in
            (0..<heads).flatMap { head -> [Double] in
                let query = turned(q, (row * heads + head) * width, past + row)
                let seen = max(0, past + row - window + 1)...(past + row)
                let from = head / (heads / shared)
                let logits = seen.map { j in
                    zip(query, turned(keys, (j * shared + from) * width, j)).map(*).reduce(0, +)
                        / Double(width).squareRoot()
                }
                let most = logits.max()!
                let weights = logits.map { exp($0 - most) }
                let sum = weights.reduce(0, +)
                return (0..<valueWidth).map { c in
                    zip(seen, weights).reduce(0) {
                        $0 + $1.1 / sum * Double(values[($1.0 * shared + from) * valueWidth + c])
                    }
                }
            }
        }
    }
}

@Suite struct AttentionTests {
    private static let cases = [
        Case(heads: 2, shared: 2, width: 32, valueWidth: 32, window: 8, past: 12, rows: 6),
        Case(heads: 4, shared: 2, width: 20, valueWidth: 7, window: 9, past: 0, rows: 14),
        Case(heads: 1, shared: 1, width: 64, valueWidth: 48, window: 50, past: 30, rows: 3),
        Case(heads: 2, shared: 1, width: 8, valueWidth: 16, window: 1, past: 4, rows: 4),
        Case(heads: 3, shared: 1, width: 15, valueWidth: 16, window: 5, past: 2, rows: 6, rotates: false),
    ]

    @Test(arguments: instructionSets)
    func agreesWithTheDefinition(isa: ck_isa) {
        for test in Self.cases {
            let linear = on(isa) { test.run(slots: test.past + test.rows, first: test.past) }
            expectClose(linear, test.reference(), 3e-6)
        }
    }

    @Test(arguments: instructionSets)
    func aRowIsTheSameInAnyChunkAndAnyPlaceOfTheRing(isa: ck_isa) {
        for test in Self.cases {
            on(isa) {
                let linear = test.run(slots: test.past + test.rows, first: test.past)
                let slots = test.past + test.rows + 3
                for first in [0, 1, slots - 1] {
                    #expect(test.run(slots: slots, first: first) == linear)
                    #expect(test.run(slots: slots, first: first, byRow: true) == linear)
                }
            }
        }
    }
}
