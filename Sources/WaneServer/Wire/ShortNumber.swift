import CNumbers

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A number with six digits, as in all rows for machines.
struct ShortNumber {
    private let number: Double

    init(_ number: Double) { self.number = number }

    /// Its text, as C writes it without regard to a locale: this program sets none.
    private func text<Result>(_ body: (UnsafeBufferPointer<CChar>) -> Result) -> Result {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 32) { buffer in
            guard let base = buffer.baseAddress else { return body(UnsafeBufferPointer(buffer)) }
            let count = Int(number_write(base, buffer.count, 6, number))
            return body(UnsafeBufferPointer(rebasing: buffer[0..<min(max(0, count), buffer.count - 1)]))
        }
    }

    /// Rounded to its digits.
    var value: Double { text { $0.baseAddress.map { strtod($0, nil) } ?? number } }

    /// As JSON; null for what is no number.
    func write(to bytes: inout [UInt8]) {
        guard number.isFinite else {
            bytes += Array("null".utf8)
            return
        }
        text { text in for character in text { bytes.append(UInt8(bitPattern: character)) } }
    }
}
