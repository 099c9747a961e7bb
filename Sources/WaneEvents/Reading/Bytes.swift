#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

extension UnsafeRawBufferPointer {
    /// Whether all bytes are ASCII, eight at a time.
    var isASCII: Bool {
        guard let base = baseAddress else { return true }
        var index = 0
        var seen: UInt64 = 0
        while index &+ 8 <= count {
            seen |= base.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            index &+= 8
        }
        while index < count {
            seen |= UInt64(base.load(fromByteOffset: index, as: UInt8.self))
            index &+= 1
        }
        return seen & 0x8080_8080_8080_8080 == 0
    }

    /// Whether all bytes are UTF-8.
    var isUTF8: Bool { isASCII || String(validating: self, as: UTF8.self) != nil }

    /// The first place of a byte from `start` on.
    func place(of byte: UInt8, from start: Int) -> Int? {
        guard let base = baseAddress, start < count, let found = memchr(base + start, Int32(byte), count - start) else {
            return nil
        }
        return base.distance(to: UnsafeRawPointer(found))
    }

    /// Whether the bytes of a range are those of an array.
    func holds(_ other: [UInt8], at range: Range<Int>) -> Bool {
        guard other.count == range.count else { return false }
        guard let base = baseAddress, !other.isEmpty else { return true }
        return other.withUnsafeBytes { memcmp(base + range.lowerBound, $0.baseAddress ?? base, range.count) == 0 }
    }
}
