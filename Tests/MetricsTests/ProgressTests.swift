import Foundation
import Synchronization
import Testing

@testable import Metrics

private let ascii = ProgressStyle(usesColor: false, usesUnicode: false)
private let unicode = ProgressStyle(usesColor: false, usesUnicode: true)
private let color = ProgressStyle(usesColor: true, usesUnicode: true)

struct ProgressLineTests {
    private let line = ProgressLine(
        label: "train", unit: .items("step"), completed: 420, total: 1000, rate: 3.2, elapsed: 131,
        metrics: [("loss", 0.12345), ("stoi", 0.7)])

    @Test func aLineSaysHowFarHowFastAndHowLong() {
        #expect(
            line.plain() == "train  42%  420/1000  3.20 step/s  03:01 left  loss 0.123  stoi 0.700")
        var finished = line
        finished.isFinished = true
        #expect(finished.plain().contains("  in 02:11  "))
    }

    @Test func slowStepsAreGivenInSeconds() {
        var slow = line
        slow.rate = 0.5
        #expect(slow.plain().contains("2.00 s/step"))
    }

    @Test func audioIsComparedWithRealTime() {
        let audio = ProgressLine(
            label: "encode", unit: .audio, completed: 61, total: 3600, rate: 41.26, elapsed: 2, metrics: [])
        #expect(audio.plain() == "encode  1%  01:01/1:00:00  41.3× real time  01:26 left")
    }

    @Test func anUnknownTotalHasNoBarAndNoTimeLeft() {
        var open = line
        open.total = nil
        #expect(open.plain() == "train  420  3.20 step/s  loss 0.123  stoi 0.700")
        #expect(open.drawn(width: 80, style: unicode) == open.plain())
    }

    @Test func theBarFillsInHalfColumns() {
        #expect(unicode.bar(0, width: 10) == "──────────")
        #expect(unicode.bar(0.5, width: 10) == "━━━━━─────")
        #expect(unicode.bar(0.56, width: 10) == "━━━━━╸────")
        #expect(unicode.bar(1, width: 10) == "━━━━━━━━━━")
        #expect(ascii.bar(0.5, width: 12) == "[#####-----]")
        #expect(ascii.bar(1, width: 12) == "[##########]")
    }

    @Test("No line is wider than its terminal", arguments: [1, 5, 20, 40, 60, 80, 100, 200])
    func widths(width: Int) {
        for style in [ascii, unicode, color] {
            for completed in [0.0, 420, 1000, 5000] {
                var line = line
                line.completed = completed
                #expect(visibleLength(line.drawn(width: width, style: style)) <= width)
            }
        }
    }

    @Test func narrowTerminalsLoseTheLastMetricsFirst() {
        #expect(line.drawn(width: 100, style: unicode).contains("stoi"))
        let narrow = line.drawn(width: 70, style: unicode)
        #expect(!narrow.contains("stoi") && narrow.contains("loss") && narrow.contains("━"))
    }

    @Test func colorIsUsedOnlyWhenWelcome() {
        #expect(line.drawn(width: 80, style: color).contains("\u{1B}["))
        #expect(!line.drawn(width: 80, style: unicode).contains("\u{1B}"))
        #expect(line.drawn(width: 80, style: ascii).utf8.allSatisfy { $0 < 128 })
    }

    @Test(
        "Figures have three digits",
        arguments: [
            (0, "0"), (0.123456, "0.123"), (1, "1.00"), (12.345, "12.3"), (123.45, "123"), (12345, "12345"),
            (-0.5, "-0.500"), (0.000123, "0.000123"), (0.0000123, "1.23e-5"), (3.2e12, "3.2e12"), (999.96, "1000"),
            (.nan, "nan"), (-.infinity, "-inf"),
        ] as [(Double, String)])
    func figures(value: Double, expected: String) {
        #expect(ProgressLine.figure(value) == expected)
    }

    @Test func clocksGrowAnHour() {
        #expect(ProgressLine.clock(59.6) == "01:00")
        #expect(ProgressLine.clock(3599) == "59:59")
        #expect(ProgressLine.clock(36_610) == "10:10:10")
        #expect(ProgressLine.clock(.infinity) == "--:--")
    }
}

struct ProgressBarTests {
    /// A clock that the test moves and a screen that it reads.
    private final class Scene: Sendable {
        let time = Mutex(100.0)
        let written = Mutex("")

        func output(_ kind: ProgressOutput.Kind) -> ProgressOutput {
            ProgressOutput(kind: kind, style: unicode, columns: { 80 }) { [self] text in
                written.withLock { $0 += text }
            }
        }

        func bar(_ kind: ProgressOutput.Kind, total: Double? = 100, startingAt start: Double = 0) -> ProgressBar {
            ProgressBar("work", total: total, unit: .items("step"), startingAt: start, output: output(kind)) { [self] in
                time.withLock { $0 }
            }
        }

        func wait(_ seconds: Double) { time.withLock { $0 += seconds } }
        var text: String { written.withLock { $0 } }
    }

    @Test func aTerminalLineIsRedrawnInPlaceAtMostTenTimesASecond() {
        let scene = Scene()
        let bar = scene.bar(.terminal)
        for step in 1...50 {
            scene.wait(0.02)
            bar.update(Double(step))
        }
        let draws = scene.text.count { $0 == "\r" }
        #expect((9...11).contains(draws))
        #expect(!scene.text.contains("\n"))
        bar.update(100)
        bar.finish()
        #expect(scene.text.hasSuffix("\u{1B}[K\n"))
        #expect(scene.text.split(separator: "\r").last!.contains("100%  100/100"))
        bar.finish()
        bar.update(3)
        #expect(scene.text.count { $0 == "\n" } == 1)
    }

    @Test func elsewhereALineAppearsNowAndThenWithoutControlCharacters() {
        let scene = Scene()
        let bar = scene.bar(.plain, total: 1000)
        for step in 1...100 {
            scene.wait(1)
            bar.update(Double(step), metrics: [("loss", 1 / Double(step))])
        }
        bar.finish()
        let lines = scene.text.split(separator: "\n")
        // After 5, 35, 65 and 95 seconds, and at the end.
        #expect(lines.count == 5)
        #expect(lines[0].hasPrefix("work  0%  5/1000  1.00 step/s  16:35 left  loss 0.200"))
        #expect(scene.text.unicodeScalars.allSatisfy { $0.value >= 32 || $0 == "\n" })
    }

    @Test func silenceIsSilent() {
        let scene = Scene()
        let bar = scene.bar(.silent)
        bar.advance()
        bar.note("hello")
        bar.finish()
        #expect(scene.text.isEmpty)
    }

    @Test func aNoteStandsAboveTheBar() {
        let scene = Scene()
        let bar = scene.bar(.terminal)
        bar.update(1)
        bar.note("validated")
        let afterNote = scene.text.components(separatedBy: "\r\u{1B}[Kvalidated\n")
        #expect(afterNote.count == 2)
        #expect(afterNote.last!.hasPrefix("\rwork"))
    }

    @Test func abandoningABarEndsItsLine() {
        let scene = Scene()
        do {
            let bar = scene.bar(.terminal)
            bar.advance()
        }
        #expect(scene.text.hasSuffix("\n"))
    }

    @Test func aResumedTaskDoesNotCountWhatWasDoneBefore() {
        let scene = Scene()
        let bar = scene.bar(.plain, total: 1000, startingAt: 500)
        scene.wait(10)
        bar.update(520)
        #expect(scene.text == "work  52%  520/1000  2.00 step/s  04:00 left\n")
    }

    @Test func theRateForgetsASlowStart() {
        var rate = SmoothedRate(completed: 0, time: 0)
        #expect(rate.value == nil)
        rate.add(completed: 1, time: 60)
        #expect(abs(rate.value! - 1.0 / 60) < 1e-3)
        for second in 1...40 { rate.add(completed: 1 + Double(second) * 5, time: 60 + Double(second)) }
        #expect(abs(rate.value! - 5) < 0.1)
    }

    @Test func theEnvironmentIsRespected() {
        func output(_ environment: [String: String], isTerminal: Bool = true) -> ProgressOutput {
            ProgressOutput(environment: { environment[$0] }, isTerminal: isTerminal)
        }
        #expect(output(["LANG": "C.UTF-8"]).style.usesUnicode)
        #expect(!output(["LANG": "C.UTF-8", "LC_ALL": "C"]).style.usesUnicode)
        #expect(output([:]).style.usesColor)
        #expect(output(["NO_COLOR": ""]).style.usesColor)
        #expect(!output(["NO_COLOR": "1"]).style.usesColor)
        #expect(output([:]).kind == .terminal)
        #expect(output(["TERM": "dumb"]).kind == .plain)
        #expect(output([:], isTerminal: false).kind == .plain)
    }
}
