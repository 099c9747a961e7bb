import Foundation
import Testing

@testable import Torch

extension UsingTorch {
    @Suite("Files of tensors")
    struct SafetensorsTests {
        private func sample() throws -> Data {
            try Safetensors.encode(
                ["a": Tensor([1, 2, 3] as [Float]), "b": Tensor([Int64(7)], shape: [1, 1])], metadata: ["k": "v"])
        }

        @Test("come back bit by bit")
        func roundTrip() throws {
            let (tensors, metadata) = try Safetensors.decode(sample(), file: "x")
            #expect(try tensors["a"]?.values(Float.self) == [1, 2, 3])
            #expect(try tensors["b"]?.values(Int64.self) == [7])
            #expect(tensors["b"]?.shape == [1, 1])
            #expect(metadata == ["k": "v"])
            #expect(try Safetensors.encode(tensors, metadata: metadata) == sample())
        }

        @Test("cut short anywhere are refused")
        func truncated() throws {
            let data = try sample()
            for length in 0..<data.count {
                #expect(throws: SafetensorsError.self) { try Safetensors.decode(data.prefix(length), file: "x") }
            }
            #expect(throws: SafetensorsError.self) { try Safetensors.decode(data + [0], file: "x") }
        }

        private func file(_ header: String, payload: Int, length: UInt64? = nil) -> Data {
            var data = Data()
            withUnsafeBytes(of: (length ?? UInt64(header.utf8.count)).littleEndian) { data.append(contentsOf: $0) }
            data.append(contentsOf: header.utf8)
            data.append(Data(count: payload))
            return data
        }

        @Test(
            "with a false header are refused before anything is allocated",
            arguments: [
                #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}"#,
                #"{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,8]}}"#,
                #"{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,8]}}"#,
                #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}"#,
                #"{"a":{"dtype":"F32","shape":[2.5],"data_offsets":[0,8]}}"#,
                #"{"a":{"dtype":"F99","shape":[2],"data_offsets":[0,8]}}"#,
                #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#,
                #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#,
                #"{"__metadata__":{"k":1}}"#, "[1]", "{", "",
            ])
        func hostile(header: String) {
            #expect(throws: SafetensorsError.self) { try Safetensors.decode(file(header, payload: 8), file: "x") }
        }

        @Test("claiming a header of any size are refused", arguments: [UInt64.max, 1 << 63, 1 << 40, 100])
        func oversized(length: UInt64) {
            #expect(throws: SafetensorsError.self) {
                try Safetensors.decode(file("{}", payload: 0, length: length), file: "x")
            }
        }
    }
}
