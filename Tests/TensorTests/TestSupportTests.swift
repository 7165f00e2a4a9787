import Foundation
import Tensor
import TestSupport
import Testing

/// The helpers must be able to fail: each expectation here is wrong on purpose.
@Suite struct TestSupportTests {
    @Test func closenessSeesWhatDiffers() {
        let x = HostArray([1.0, 2.0])
        expectClose(x, HostArray([1.0, 2.0 + 1e-14]))
        withKnownIssue { expectClose(x, HostArray([1.0, 2.1])) }
        withKnownIssue { expectClose(x, HostArray([1.0, .nan])) }
        withKnownIssue { expectClose(HostArray([Double.infinity]), HostArray([1.0]), relative: 1, absolute: 1e300) }
        withKnownIssue { expectClose(x, HostArray([1, 2] as [Float])) }
        withKnownIssue { expectClose(x, HostArray([1.0, 2.0], shape: [2, 1])) }
        withKnownIssue { expectClose(HostArray([Int64.max]), HostArray([Int64.max - 1])) }
    }

    @Test func closenessTakesNaNsInfinitiesAndZerosAsTheyAre() {
        expectClose(HostArray([.nan, .infinity, -0.0]), HostArray([.nan, .infinity, 0.0]))
        expectClose(HostArray([1.0, 100.0]), HostArray([1.05, 101.0]), relative: 0.01, absolute: 0.05)
    }

    @Test func theGradientCheckSeesAWrongRule() throws {
        func cube(_ factor: Double) -> ([Tensor]) -> Tensor {
            { inputs in
                composite("cube", inputs) { inputs, _, cotangents in
                    [cotangents[0] * inputs[0].squared * factor]
                } decomposition: {
                    [$0[0].power(3)]
                }[0]
            }
        }
        var random = TestRandom(seed: 1)
        // Larger ones are not moved one element at a time, but along random directions.
        for point in [random.array([2]), random.array([100])] {
            try expectGradient(of: cube(3), at: [point])
            withKnownIssue { try expectGradient(of: cube(3.0001), at: [point]) }
        }
        withKnownIssue { try expectGradient(of: { $0[0] * $0[0].stoppingGradient }, at: [HostArray([0.3])]) }
    }

    @Test func aFixtureNamesWhatItLacks() throws {
        let fixture = try Fixture("tensor_random")
        let error = #expect(throws: Fixture.Failure.self) { try fixture.array("no such array") }
        #expect(error?.description.contains("tensor_random.safetensors has no array no such array") == true)
    }

    @Test func valueCasesMustHaveRecordedValues() throws {
        let fixture = try Fixture("tensor_elementwise")
        withKnownIssue { try expectMatches(ValueCase("not recorded") { $0 }, in: fixture) }
        withKnownIssue { try expectMatches(ValueCase("sine") { [$0[0].cos()] }, in: fixture) }
    }

    @Test func testNumbersAreUniformAndRepeat() {
        var (first, second) = (TestRandom(seed: 5), TestRandom(seed: 5))
        let values = first.array([10_000], low: 2, high: 4).doubles
        #expect(values == second.array([10_000], low: 2, high: 4).doubles)
        #expect(values.allSatisfy { $0 >= 2 && $0 < 4 } && abs(values.reduce(0, +) / 10_000 - 3) < 0.02)
    }
}
