import Foundation
import FoundationXML
import Testing

@testable import Audio

struct SpectrogramImageTests {
    private let sine = Waveform(samples: tone(1000, seconds: 0.3, rate: 24000), sampleRate: 24000)

    @Test func aToneIsABrightLineAtItsFrequency() {
        let image = SpectrogramImage(panels: [.init(title: "tone", waveform: sine)]).panels[0].levels
        let column = image.width / 2
        let levels = (0..<image.height).map { image.pixels[$0 * image.width + column] }
        let brightest = levels.firstIndex(of: levels.max()!)!
        let fraction = MelScale.mel(1000) / MelScale.mel(12000)
        #expect(abs(Double(brightest) - Double(image.height) * (1 - fraction)) < 2)
        #expect(levels.max()! > 250)
        // Far from the tone only the window's side lobes are left, under the scale.
        #expect(levels[0] == 0)
    }

    @Test func quieterPanelsAreDarkerOnTheCommonScale() {
        let quiet = Waveform(samples: sine.samples.map { $0 * 0.01 }, sampleRate: 24000)
        let image = SpectrogramImage(
            panels: [.init(title: "loud", waveform: sine), .init(title: "40 dB less", waveform: quiet)])
        let (loud, soft) = (image.panels[0].levels.pixels.max()!, image.panels[1].levels.pixels.max()!)
        #expect(loud == 255)
        // 40 of 80 dB: half of the scale.
        #expect(abs(Int(soft) - 128) <= 1)
    }

    @Test func aLowerRateLeavesTheTopOfTheAxisDark() {
        let low = Waveform(samples: tone(3900, seconds: 0.3, rate: 8000), sampleRate: 8000)
        let levels = SpectrogramImage(
            panels: [.init(title: "24 kHz", waveform: sine), .init(title: "8 kHz", waveform: low)]
        ).panels[1].levels
        let filled = MelScale.mel(4000) / MelScale.mel(12000)
        let topRow = levels.pixels.firstIndex { $0 > 0 }! / levels.width
        #expect(abs(Double(topRow) - Double(levels.height) * (1 - filled)) < 3)
    }

    @Test func theSVGIsWellFormedAndHoldsItsPNGs() throws {
        let panel = SpectrogramImage.Panel(title: "a < b & \"c\" > d", waveform: sine)
        let image = SpectrogramImage(panels: [panel, panel])
        let svg = try image.svg()
        let parser = XMLParser(data: Data(svg.utf8))
        #expect(parser.parse(), "\(String(describing: parser.parserError))")
        let embedded = svg.components(separatedBy: "base64,").dropFirst().map { $0.prefix { $0 != "\"" } }
        #expect(embedded.count == 2)
        let png = try image.panels[0].levels.png(palette: Magma.palette)
        #expect(Data(base64Encoded: String(embedded[0])) == Data(png))
    }

    @Test func thePNGStatesItsSize() throws {
        let image = SpectrogramImage(panels: [.init(title: "", waveform: sine), .init(title: "", waveform: sine)])
        let png = try image.png()
        #expect(Array(png.prefix(8)) == [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A])
        func word(_ offset: Int) -> Int { png[offset..<(offset + 4)].reduce(0) { $0 << 8 | Int($1) } }
        #expect(word(16) == image.panels[0].levels.width)
        #expect(word(20) == 2 * image.panels[0].levels.height + 4)
    }

    @Test func oneSampleAndSilenceAreDrawn() throws {
        for samples in [[0.5], [Float](repeating: 0, count: 4800)] {
            let image = SpectrogramImage(
                panels: [.init(title: "", waveform: Waveform(samples: samples, sampleRate: 48000))])
            let svg = try image.svg()
            #expect(!svg.contains("nan") && !svg.contains("inf"))
        }
    }

    @Test func aPictureIsWrittenWholeUnderItsExtension() throws {
        let image = SpectrogramImage(panels: [.init(title: "tone", waveform: sine)])
        try withTemporaryFolder { folder in
            for name in ["a.svg", "a.png"] { try image.write(to: folder.appendingPathComponent(name).path) }
            #expect(throws: AudioError.self) { try image.write(to: folder.appendingPathComponent("a.gif").path) }
            let names = try filesIn(folder)
            #expect(names == ["a.png", "a.svg"])
        }
    }

    @Test(
        "Colours are matplotlib's magma",
        arguments: [
            (0, [0, 0, 4]), (20, [14, 11, 43]), (77, [101, 26, 128]), (128, [183, 55, 121]),
            (200, [253, 152, 105]), (255, [252, 253, 191]),
        ])
    func magma(index: Int, expected: [Int]) {
        let color = Magma.palette[index]
        let ours = [color.red, color.green, color.blue].map(Int.init)
        #expect(zip(ours, expected).allSatisfy { abs($0 - $1) <= 4 })
    }
}
