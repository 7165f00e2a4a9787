import CPNG

/// Pixels that index a palette: what a spectrogram is once its levels have been rounded.
struct IndexedImage {
    let width: Int
    let height: Int
    /// Row-major from the top, `width · height` of them.
    var pixels: [UInt8]

    init(width: Int, height: Int) {
        self.width = width
        self.height = height
        pixels = [UInt8](repeating: 0, count: width * height)
    }

    /// A PNG file of the image with `palette`'s colours.
    func png(palette: [RGB]) throws -> [UInt8] {
        var image = png_image()
        image.version = png_uint_32(PNG_IMAGE_VERSION)
        image.width = png_uint_32(width)
        image.height = png_uint_32(height)
        image.format = png_uint_32(PNG_FORMAT_FLAG_COLOR | PNG_FORMAT_FLAG_COLORMAP)
        image.colormap_entries = png_uint_32(palette.count)
        defer { png_image_free(&image) }
        let colors = palette.flatMap { [$0.red, $0.green, $0.blue] }

        // The first call only counts the bytes.
        var size = png_alloc_size_t(0)
        guard png_image_write_to_memory(&image, nil, &size, 0, pixels, png_int_32(width), colors) != 0 else {
            throw AudioError.pictureFailed(reason: message(of: image))
        }
        var bytes = [UInt8](repeating: 0, count: Int(size))
        guard png_image_write_to_memory(&image, &bytes, &size, 0, pixels, png_int_32(width), colors) != 0 else {
            throw AudioError.pictureFailed(reason: message(of: image))
        }
        return Array(bytes.prefix(Int(size)))
    }

    private func message(of image: png_image) -> String {
        withUnsafeBytes(of: image.message) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
}

struct RGB: Hashable {
    let red: UInt8
    let green: UInt8
    let blue: UInt8

    /// As SVG writes it.
    var hex: String {
        "#"
            + [red, green, blue].map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }
}

/// Matplotlib's "magma": as dark as the level is low to every eye, in print too.
enum Magma {
    private static let anchors: [UInt32] = [
        0x000004, 0x150E37, 0x3B0F70, 0x641A80, 0x8C2981, 0xB63779, 0xDE4968, 0xF66F5C, 0xFE9F6D, 0xFECE91, 0xFCFDBF,
    ]

    static let palette: [RGB] = (0..<256).map { color(Double($0) / 255) }

    /// The colour of a level in 0...1, within 4/255 of the original.
    static func color(_ level: Double) -> RGB {
        let position = max(0, min(1, level)) * Double(anchors.count - 1)
        let index = min(Int(position), anchors.count - 2)
        let fraction = position - Double(index)
        func channel(_ shift: UInt32) -> UInt8 {
            let (low, high) = (Double(anchors[index] >> shift & 0xFF), Double(anchors[index + 1] >> shift & 0xFF))
            return UInt8((low + (high - low) * fraction).rounded())
        }
        return RGB(red: channel(16), green: channel(8), blue: channel(0))
    }
}
