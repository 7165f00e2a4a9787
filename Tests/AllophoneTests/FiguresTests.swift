import Foundation
import Testing

@testable import allophone

@Suite struct FiguresTests {
    @Test(
        arguments: [
            0, -0.0, 0.5, 1.5, 2.5, -0.04, 0.995, 1e-9, 123_456.789, 1e15, .greatestFiniteMagnitude,
            -.greatestFiniteMagnitude, .infinity, -.infinity, .nan,
        ] as [Double])
    func decimalsAreThoseOfFoundation(value: Double) {
        for digits in 0...3 { #expect(value.fixed(digits) == String(format: "%.\(digits)f", value)) }
    }

    @Test func textIsAlignedInColumns() {
        #expect("SI-SDR".leftAligned(in: 8) == "SI-SDR  ")
        #expect("12".rightAligned(in: 5) == "   12")
        #expect("7".rightAligned(in: 3, padding: "0") == "007")
        #expect("1234".rightAligned(in: 3) == "1234" && "1234".leftAligned(in: 3) == "1234")
    }
}
