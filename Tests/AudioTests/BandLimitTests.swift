import Audio
import Foundation
import Tensor
import TestSupport
import Testing

@Suite struct BandLimitTests {
    private let limit = BandLimit(sampleRate: 8000)

    private func tone(_ frequency: Double, count: Int, phase: Double = 0.3) -> [Double] {
        (0..<count).map { sin(2 * .pi * frequency * Double($0) / 8000 + phase) }
    }

    private func filtered(_ rows: [[Double]], to bandwidth: [Double]) throws -> [[Double]] {
        let count = rows[0].count
        let x = HostArray(rows.flatMap(\.self), shape: [rows.count, count])
        let result = try evaluate([x, HostArray(bandwidth)]) { [limit($0[0], to: $0[1])] }[0].doubles
        return rows.indices.map { Array(result[$0 * count..<($0 + 1) * count]) }
    }

    /// Away from the edges, which are the beginning and the end of a tone and hold all frequencies.
    private func largest(_ values: [Double]) -> Double {
        values.dropFirst(80).dropLast(80).reduce(0) { max($0, abs($1)) }
    }

    @Test func eachClipLosesWhatIsAboveItsBand() throws {
        let below = tone(2000 - limit.transition, count: 400)
        let above = tone(2000, count: 400)
        let rows = try filtered([below, above, above, above], to: [2000, 2000, 3000, 4000])
        #expect(largest(zip(rows[0], below).map { $0 - $1 }) < 1e-3)
        #expect(largest(rows[1]) < 1e-3)
        #expect(largest(zip(rows[2], above).map { $0 - $1 }) < 1e-3)
        // All that the rate holds: not touched at all.
        #expect(rows[3] == above)
    }

    @Test func thereIsNoDelayAndNoGain() throws {
        var click = [Double](repeating: 0, count: 300)
        click[150] = 1
        let response = try filtered([click], to: [1500])[0]
        #expect(response.enumerated().max { $0.element < $1.element }?.offset == 150)
        for distance in 0..<60 { #expect(abs(response[150 - distance] - response[150 + distance]) < 1e-12) }
        #expect(abs(response.reduce(0, +) - 1) < 1e-9)
        let level = try filtered([[Double](repeating: 1, count: 300)], to: [1500])[0]
        #expect(largest(level.map { $0 - 1 }) < 1e-9)
    }

    @Test func silenceBeforeAClipChangesNothing() throws {
        let alone = tone(900, count: 250)
        let padded = [Double](repeating: 0, count: 190) + alone
        let (one, other) = (try filtered([alone], to: [1500])[0], try filtered([padded], to: [1500])[0])
        #expect(zip(one, other.dropFirst(190)).allSatisfy { abs($0 - $1) < 1e-9 })
    }

    @Test func gradientsAreThoseOfTheFilter() throws {
        let x = HostArray(tone(700, count: 24) + tone(1100, count: 24), shape: [2, 24])
        try expectGradient(of: { limit($0[0], to: .constant([1200, 4000], .f64)) }, at: [x])
    }
}
