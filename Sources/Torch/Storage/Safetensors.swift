import Foundation

/// Why a file of tensors cannot be read.
public enum SafetensorsError: Error, Sendable, Equatable, CustomStringConvertible {
    case unreadable(file: String, reason: String)
    case truncated(file: String, bytes: Int)
    case headerTooLong(file: String, length: UInt64, limit: Int)
    case header(file: String, reason: String)
    case entry(file: String, name: String, reason: String)
    case sizeMismatch(file: String, expected: Int, actual: Int)
    case torch(TorchError)

    public var description: String {
        switch self {
        case .unreadable(let file, let reason): "\(file): cannot be read: \(reason)"
        case .truncated(let file, let bytes): "\(file): \(bytes) bytes are too few for a safetensors file"
        case .headerTooLong(let file, let length, let limit):
            "\(file): the header claims \(length) bytes; the file and the limit of \(limit) allow fewer"
        case .header(let file, let reason): "\(file): the header is damaged: \(reason)"
        case .entry(let file, let name, let reason): "\(file): tensor \"\(name)\": \(reason)"
        case .sizeMismatch(let file, let expected, let actual):
            "\(file): the tensors need \(expected) bytes, the file holds \(actual); it is cut short or padded"
        case .torch(let error): error.description
        }
    }
}

/// Named tensors in a file: eight bytes of header length, a JSON header, then the bytes of all tensors
/// without holes.
///
/// Reading checks the header against the size of the file before anything is allocated on its word, so a
/// damaged or hostile file costs an error and nothing else.
///
/// Source: the safetensors format, `huggingface/safetensors`, README, "Format".
public enum Safetensors {
    /// The format's own limit on a header.
    public static let headerLimit = 100_000_000

    /// - Parameter metadata: strings kept beside the tensors, under `__metadata__`.
    public static func encode(
        _ tensors: [String: Tensor], metadata: [String: String] = [:]
    ) throws(SafetensorsError) -> Data {
        var header: [String: Any] = metadata.isEmpty ? [:] : ["__metadata__": metadata]
        var payload = Data()
        do {
            for name in tensors.keys.sorted() {
                guard let tensor = tensors[name] else { continue }
                let bytes = try tensor.bytes()
                header[name] = [
                    "dtype": try tensor.dtype.rawValue, "shape": tensor.shape,
                    "data_offsets": [payload.count, payload.count + bytes.count],
                ]
                payload.append(contentsOf: bytes)
            }
            var json = try JSONSerialization.data(withJSONObject: header, options: [.sortedKeys])
            while json.count % 8 != 0 { json.append(0x20) }
            var data = Data()
            withUnsafeBytes(of: UInt64(json.count).littleEndian) { data.append(contentsOf: $0) }
            data.append(json)
            data.append(payload)
            return data
        } catch let error as TorchError {
            throw .torch(error)
        } catch {
            throw .header(file: "safetensors", reason: "\(error)")
        }
    }

    public static func read(
        _ url: URL, device: Device = .cpu
    ) throws(SafetensorsError) -> (tensors: [String: Tensor], metadata: [String: String]) {
        let data: Data
        do { data = try Data(contentsOf: url, options: .mappedIfSafe) } catch {
            throw .unreadable(file: url.path, reason: (error as NSError).localizedDescription)
        }
        return try decode(data, file: url.path, device: device)
    }

    /// - Parameter file: the name that errors give.
    public static func decode(
        _ data: Data, file: String, device: Device = .cpu
    ) throws(SafetensorsError) -> (tensors: [String: Tensor], metadata: [String: String]) {
        let (entries, metadata, payload) = try entries(of: data, file: file)
        var tensors: [String: Tensor] = [:]
        for entry in entries {
            let result: Result<Tensor, TorchError> = data.withUnsafeBytes { bytes in
                // The range was checked against the size of the data.
                let part = UnsafeRawBufferPointer(
                    rebasing: bytes[(payload + entry.range.lowerBound)..<(payload + entry.range.upperBound)])
                do throws(TorchError) {
                    return .success(
                        try Tensor(bytes: part, dtype: entry.dtype, shape: entry.shape, device: device))
                } catch { return .failure(error) }
            }
            do { tensors[entry.name] = try result.get() } catch { throw .torch(error) }
        }
        return (tensors, metadata)
    }

    /// What a file declares, checked: names, types, shapes, and places that cover the payload exactly.
    static func entries(
        of data: Data, file: String
    ) throws(SafetensorsError) -> (entries: [Entry], metadata: [String: String], payload: Int) {
        guard data.count >= 8 else { throw .truncated(file: file, bytes: data.count) }
        let length = data.prefix(8).enumerated().reduce(UInt64(0)) { $0 | UInt64($1.element) << (8 * $1.offset) }
        guard length <= UInt64(min(headerLimit, data.count - 8)) else {
            throw .headerTooLong(file: file, length: length, limit: headerLimit)
        }
        let payload = 8 + Int(length)
        let json = data.subdata(in: data.startIndex + 8..<data.startIndex + payload)
        let object: Any
        do { object = try JSONSerialization.jsonObject(with: json) } catch {
            throw .header(file: file, reason: "it is not JSON")
        }
        guard let fields = object as? [String: Any] else { throw .header(file: file, reason: "it is no object") }
        var metadata: [String: String] = [:]
        var entries: [Entry] = []
        for (name, value) in fields {
            if name == "__metadata__" {
                guard let strings = value as? [String: String] else {
                    throw .header(file: file, reason: "__metadata__ holds more than strings")
                }
                metadata = strings
            } else {
                entries.append(try Entry(name: name, value, file: file))
            }
        }
        entries.sort { ($0.range.lowerBound, $0.range.upperBound) < ($1.range.lowerBound, $1.range.upperBound) }
        var next = 0
        for entry in entries {
            guard entry.range.lowerBound == next else {
                throw .entry(
                    file: file, name: entry.name,
                    reason: "begins at \(entry.range.lowerBound), where \(next) follows the one before it")
            }
            next = entry.range.upperBound
        }
        guard next == data.count - payload else {
            throw .sizeMismatch(file: file, expected: next, actual: data.count - payload)
        }
        return (entries, metadata, payload)
    }

    struct Entry {
        let name: String
        let dtype: DType
        let shape: [Int]
        let range: Range<Int>

        init(name: String, _ value: Any, file: String) throws(SafetensorsError) {
            func fail(_ reason: String) -> SafetensorsError { .entry(file: file, name: name, reason: reason) }
            guard let fields = value as? [String: Any], let typeName = fields["dtype"] as? String else {
                throw fail("has no dtype")
            }
            guard let dtype = DType(rawValue: typeName) else { throw fail("has an unknown dtype \(typeName)") }
            guard let shape = Self.integers(fields["shape"]), shape.allSatisfy({ $0 >= 0 }) else {
                throw fail("has no shape of whole numbers")
            }
            guard let offsets = Self.integers(fields["data_offsets"]), offsets.count == 2,
                offsets[0] >= 0, offsets[0] <= offsets[1]
            else { throw fail("has no data_offsets from low to high") }
            var size = dtype.width
            for side in shape {
                let (product, overflow) = size.multipliedReportingOverflow(by: side)
                guard !overflow else { throw fail("has a shape too large to exist") }
                size = product
            }
            guard size == offsets[1] - offsets[0] else {
                throw fail("a shape of \(shape) needs \(size) bytes, not \(offsets[1] - offsets[0])")
            }
            self.name = name
            self.dtype = dtype
            self.shape = shape
            range = offsets[0]..<offsets[1]
        }

        /// Whole numbers only: `1.5` and `1e30` are refused, not rounded.
        private static func integers(_ value: Any?) -> [Int]? {
            guard let numbers = value as? [NSNumber] else { return nil }
            var integers: [Int] = []
            for number in numbers {
                guard let integer = Int(exactly: number.doubleValue), !"\(number)".contains(".") else { return nil }
                integers.append(integer)
            }
            return integers
        }
    }
}
