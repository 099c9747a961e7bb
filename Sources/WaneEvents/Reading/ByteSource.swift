import CGzip
import CZstd
import Foundation

/// Bytes of a log, a piece at a time.
public protocol ByteSource: AnyObject {
    /// Fills the front of `buffer` and says how much; 0 at the end.
    func read(into buffer: UnsafeMutableRawBufferPointer) throws(LogError) -> Int
}

extension ByteSource {
    /// Reads up to `count` bytes more behind those that there are, and says how many; 0 at the end.
    func append(_ count: Int, to bytes: inout [UInt8]) throws(LogError) -> Int {
        let start = bytes.count
        bytes.append(contentsOf: repeatElement(0, count: count))
        let result = bytes.withUnsafeMutableBytes { bytes in
            Result { () throws(LogError) in try read(into: UnsafeMutableRawBufferPointer(rebasing: bytes[start...])) }
        }
        let got = try result.get()
        bytes.removeLast(count - got)
        return got
    }
}

/// Bytes of a source from a place on, as far as they have been read.
struct SourceBuffer {
    private let source: any ByteSource
    private(set) var bytes: [UInt8] = []
    /// What lies before it has been used.
    var position = 0
    /// Whether the source has no more.
    private(set) var isAtEnd = false

    init(_ source: any ByteSource) { self.source = source }

    /// Lets go of what has been used and reads more behind the rest; whether there was more.
    mutating func refill() throws(LogError) -> Bool {
        guard !isAtEnd else { return false }
        bytes.removeFirst(position)
        position = 0
        isAtEnd = try source.append(1 << 18, to: &bytes) == 0
        return !isAtEnd
    }
}

/// A file or standard input, as it is.
final class FileSource: ByteSource {
    private let descriptor: Int32
    private let file: String
    private let ownsDescriptor: Bool
    /// Bytes in the file, where that is known.
    let size: Int?

    /// - Parameter path: a file, or `-` for standard input.
    init(path: String) throws(LogError) {
        file = LogFiles.title(path)
        if path == "-" {
            descriptor = 0
            ownsDescriptor = false
            size = nil
            return
        }
        descriptor = open(path, O_RDONLY | O_CLOEXEC)
        ownsDescriptor = true
        guard descriptor >= 0 else { throw .cannotOpen(file: path, reason: String(cString: strerror(errno))) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            throw .cannotOpen(file: path, reason: String(cString: strerror(errno)))
        }
        if status.st_mode & S_IFMT == S_IFDIR {
            close(descriptor)
            throw .cannotOpen(file: path, reason: "it is a folder")
        }
        size = status.st_mode & S_IFMT == S_IFREG ? Int(status.st_size) : nil
    }

    deinit { if ownsDescriptor { close(descriptor) } }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws(LogError) -> Int {
        while true {
            let got = Foundation.read(descriptor, buffer.baseAddress, buffer.count)
            if got >= 0 { return got }
            if errno != EINTR { throw .cannotRead(file: file, reason: String(cString: strerror(errno))) }
        }
    }
}

/// Bytes already in memory, for tests and for fuzzing.
final class MemorySource: ByteSource {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: [UInt8]) { rest = bytes[...] }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws(LogError) -> Int {
        let part = rest.prefix(buffer.count)
        buffer.copyBytes(from: part)
        rest = rest.dropFirst(part.count)
        return part.count
    }
}

/// What both decompressors share: input a block at a time.
private final class InputBlock {
    let source: any ByteSource
    let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 17, alignment: 16)
    private(set) var filled = 0
    var used = 0

    init(_ source: any ByteSource) { self.source = source }
    deinit { bytes.deallocate() }

    /// Whether there is input left, after reading more where the block is used up.
    func refill() throws(LogError) -> Bool {
        guard used == filled else { return true }
        filled = try source.read(into: bytes)
        used = 0
        return filled > 0
    }
}

/// The contents of a gzip stream, member after member.
final class GzipSource: ByteSource {
    private let input: InputBlock
    private let file: String
    private let stream: OpaquePointer
    private var insideMember = false
    private var members = 0

    init(_ source: any ByteSource, file: String) throws(LogError) {
        guard let stream = wane_gunzip_new() else {
            throw .damagedArchive(file: file, reason: "there is no memory to decompress it")
        }
        self.stream = stream
        input = InputBlock(source)
        self.file = file
    }

    deinit { wane_gunzip_free(stream) }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws(LogError) -> Int {
        while true {
            guard try input.refill() else {
                guard !insideMember else {
                    throw .damagedArchive(file: file, reason: "the gzip stream ends too early")
                }
                return 0
            }
            // Blocks of tapes and disks are filled up with zeros.
            if !insideMember, members > 0 {
                while input.used < input.filled, input.bytes[input.used] == 0 { input.used += 1 }
                if input.used == input.filled { continue }
            }
            insideMember = true
            var taken = UInt32(input.filled - input.used)
            var given = UInt32(clamping: buffer.count)
            let state = wane_gunzip_step(
                stream, input.bytes.baseAddress.map { $0.assumingMemoryBound(to: UInt8.self) + input.used }, &taken,
                buffer.baseAddress?.assumingMemoryBound(to: UInt8.self), &given)
            input.used += Int(taken)
            switch state {
            case wane_gunzip_going: break
            case wane_gunzip_member_end: (insideMember, members) = (false, members + 1)
            case wane_gunzip_bad_header: throw .damagedArchive(file: file, reason: "what follows is no gzip stream")
            case wane_gunzip_bad_checksum: throw .damagedArchive(file: file, reason: "a checksum is wrong")
            default: throw .damagedArchive(file: file, reason: "the compressed data is damaged")
            }
            if given > 0 { return Int(given) }
        }
    }
}

/// The contents of a zstd stream, frame after frame.
final class ZstdSource: ByteSource {
    private let input: InputBlock
    private let file: String
    private let stream: OpaquePointer
    private var insideFrame = false

    init(_ source: any ByteSource, file: String) throws(LogError) {
        guard let stream = ZSTD_createDStream() else {
            throw .damagedArchive(file: file, reason: "zstd did not start")
        }
        self.stream = stream
        input = InputBlock(source)
        self.file = file
    }

    deinit { ZSTD_freeDStream(stream) }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws(LogError) -> Int {
        while true {
            guard try input.refill() else {
                guard !insideFrame else {
                    throw .damagedArchive(file: file, reason: "the zstd stream ends too early")
                }
                return 0
            }
            var from = ZSTD_inBuffer(src: input.bytes.baseAddress, size: input.filled, pos: input.used)
            var to = ZSTD_outBuffer(dst: buffer.baseAddress, size: buffer.count, pos: 0)
            let code = ZSTD_decompressStream(stream, &to, &from)
            if ZSTD_isError(code) != 0 {
                throw .damagedArchive(file: file, reason: String(cString: ZSTD_getErrorName(code)))
            }
            input.used = from.pos
            insideFrame = code != 0
            if to.pos > 0 { return to.pos }
        }
    }
}
