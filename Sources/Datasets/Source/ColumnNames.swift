#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The columns or fields that hold what is known of a sound, each by the names that datasets use, the first one present first.
public struct ColumnNames: Hashable, Sendable {
    public var sound = ["audio", "file", "path", "file_name"]
    public var seconds = ["seconds", "duration", "duration_seconds", "audio_duration", "audio_length"]
    public var sampleRate = ["sample_rate", "sampling_rate"]
    public var text = ["text", "transcription", "transcript", "sentence", "normalized_text", "raw_text", "caption"]
    public var speaker = ["speaker", "speaker_id", "client_id", "speaker_name"]
    public var language = ["language", "locale", "lang", "lang_id"]
    public var split = ["split"]
    public var bandwidth = ["bandwidth_hz"]
    /// JSON, as text in tables: a list of `[ipa, start, end]`, in seconds.
    public var phones = ["phones"]
    /// Of one name, since phonemes are written in many ways.
    public var phonemes = ["espeak_ipa"]

    public init() {}
}

extension ColumnNames {
    enum Field: Int, CaseIterable {
        case seconds, sampleRate, text, speaker, language, split, bandwidth, phones, phonemes
    }

    func names(of field: Field) -> [String] {
        switch field {
        case .seconds: seconds
        case .sampleRate: sampleRate
        case .text: text
        case .speaker: speaker
        case .language: language
        case .split: split
        case .bandwidth: bandwidth
        case .phones: phones
        case .phonemes: phonemes
        }
    }

    /// Which field each of a table's columns is for, at most one column a field.
    func fields(of columns: [String]) -> [(column: Int, field: Field)] {
        Field.allCases.compactMap { field in
            names(of: field).lazy.compactMap { columns.firstIndex(of: $0) }.first.map { ($0, field) }
        }
    }
}

/// Metadata from columns, whose values are text whatever the dataset's format.
struct MetadataBuilder {
    private(set) var metadata = Record.Metadata()
    private let names: ColumnNames
    /// By field, the place in its list of names of the column taken so far.
    private var ranks = [Int](repeating: .max, count: ColumnNames.Field.allCases.count)

    init(_ names: ColumnNames) { self.names = names }

    /// Takes a column's value where the column is one that is known and better than those before.
    mutating func set(column: String, to value: @autoclosure () -> String?) {
        for field in ColumnNames.Field.allCases {
            guard let rank = names.names(of: field).firstIndex(of: column), rank <= ranks[field.rawValue],
                let value = value()
            else { continue }
            ranks[field.rawValue] = rank
            set(field, to: value)
        }
    }

    /// Takes the value of a field; a length, a rate or an alignment that cannot be one is left out, since only decoding tells.
    mutating func set(_ field: ColumnNames.Field, to value: String) {
        switch field {
        case .seconds: metadata.seconds = positive(value)
        case .sampleRate:
            metadata.sampleRate = positive(value).flatMap { Int(exactly: $0.rounded()) }
        case .text: metadata.text = value
        case .speaker: metadata.speaker = value
        case .language: metadata.language = value
        case .split: metadata.split = value
        // No speech ends so low, and a filter that does is none.
        case .bandwidth: metadata.bandwidth = positive(value).flatMap { $0 >= 50 ? $0 : nil }
        case .phones: metadata.phones = try? JSONDecoder().decode([AlignedPhone].self, from: Data(value.utf8))
        case .phonemes: metadata.phonemes = value
        }
    }

    private func positive(_ value: String) -> Double? {
        Double(value).flatMap { $0.isFinite && $0 > 0 ? $0 : nil }
    }
}

extension JSONObject.Value {
    /// An array or object as it stands; nil for all else.
    var json: String? {
        if case .container(let bytes) = self { String(decoding: bytes, as: UTF8.self) } else { nil }
    }

    /// A scalar as text; nil for null, arrays and objects.
    var text: String? {
        get throws(JSONObject.Failure) {
            switch self {
            case .string(let text): try text.decoded()
            case .number(let digits): String(decoding: digits, as: UTF8.self)
            case .boolean(let value): value ? "true" : "false"
            case .null, .container: nil
            }
        }
    }
}
