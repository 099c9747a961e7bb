import CTorch

/// A libtorch tensor with value-like use: operators return new tensors; only the members that say so
/// change one in place.
///
/// The handle is freed with the last copy of the struct. Not `Sendable`: libtorch's tensors may be read
/// from several threads, but gradients may not.
public struct Tensor {
    private final class Handle {
        let raw: ct_tensor
        let free: (ct_tensor) -> Void
        init(_ raw: ct_tensor, _ free: @escaping (ct_tensor) -> Void) {
            self.raw = raw
            self.free = free
        }
        deinit { free(raw) }
    }

    private let handle: Handle
    var raw: ct_tensor { handle.raw }

    init(owning raw: ct_tensor?, _ api: ct_api) throws(TorchError) {
        guard let raw else { throw TorchError(operation: "tensor", message: "libtorch returned no tensor") }
        handle = Handle(raw, api.free_tensor)
    }

    /// A tensor of `shape` filled with the numbers in row-major order.
    public init<Element: TensorElement>(
        _ values: [Element], shape: [Int]? = nil, device: Device = .cpu
    ) throws(TorchError) {
        let result: Result<Tensor, TorchError> = values.withUnsafeBytes { bytes in
            do throws(TorchError) {
                return .success(
                    try Tensor(
                        bytes: bytes, dtype: Element.dtype, shape: shape ?? [values.count], device: device))
            } catch { return .failure(error) }
        }
        self = try result.get()
    }

    /// A tensor made of raw bytes in native order, copied.
    public init(
        bytes: UnsafeRawBufferPointer, dtype: DType, shape: [Int], device: Device = .cpu
    ) throws(TorchError) {
        let api = try Runtime.api
        var out: ct_tensor?
        let sizes = shape.map(Int64.init)
        let code = api.from_bytes(
            bytes.baseAddress, bytes.count, dtype.raw, sizes, Int64(sizes.count), device.index, &out)
        try Runtime.check(code, "tensor", api)
        try self.init(owning: out, api)
    }

    /// A scalar of shape `[]`.
    public init(_ value: Float) throws(TorchError) { try self.init([value], shape: []) }

    public static func zeros(
        _ shape: [Int], _ dtype: DType = .float32, device: Device = .cpu
    ) throws(TorchError) -> Tensor {
        try Op.zeros(.ints(shape), .dtype(dtype)).moved(to: device)
    }

    public static func full(
        _ shape: [Int], _ value: Double, _ dtype: DType = .float32
    ) throws(TorchError) -> Tensor {
        try Op.full(.ints(shape), .double(value), .dtype(dtype))
    }

    /// Numbers uniform in `[low, high)`, from libtorch's own generator.
    public static func uniform(_ shape: [Int], _ low: Double, _ high: Double) throws(TorchError) -> Tensor {
        let tensor = try zeros(shape)
        _ = try Op.uniformInPlace(.tensor(tensor), .double(low), .double(high))
        return tensor
    }

    /// Numbers normal with mean zero, from libtorch's own generator.
    public static func normal(_ shape: [Int], deviation: Double) throws(TorchError) -> Tensor {
        let tensor = try zeros(shape)
        _ = try Op.normalInPlace(.tensor(tensor), .double(0), .double(deviation))
        return tensor
    }

    // MARK: What it is

    public var shape: [Int] {
        guard let api = try? Runtime.api else { return [] }
        var sizes = [Int64](repeating: 0, count: Int(api.rank(raw)))
        api.sizes(raw, &sizes)
        return sizes.map(Int.init)
    }

    /// How many numbers it holds.
    public var count: Int { shape.reduce(1, *) }

    public var dtype: DType {
        get throws(TorchError) {
            let api = try Runtime.api
            var out = CT_FLOAT32
            try Runtime.check(api.dtype(raw, &out), "dtype", api)
            return DType(out)
        }
    }

    public var device: Device {
        get throws(TorchError) { Device(index: try Runtime.api.device(raw)) }
    }

    public func moved(to device: Device) throws(TorchError) -> Tensor {
        let api = try Runtime.api
        if Device(index: api.device(raw)) == device { return self }
        var out: ct_tensor?
        try Runtime.check(api.to_device(raw, device.index, &out), "move to \(device)", api)
        return try Tensor(owning: out, api)
    }

    // MARK: Its numbers

    /// The numbers in row-major order; the tensor's type must be `Element`'s.
    public func values<Element: TensorElement>(_ type: Element.Type = Float.self) throws(TorchError) -> [Element] {
        let api = try Runtime.api
        let own = try dtype
        guard own == Element.dtype else {
            throw TorchError(operation: "values", message: "a \(own) tensor has no \(Element.self) values")
        }
        let count = self.count
        var code: Int32 = 0
        let values = [Element](unsafeUninitializedCapacity: count) { buffer, filled in
            code = api.copy_bytes(raw, buffer.baseAddress, count * MemoryLayout<Element>.stride)
            filled = code == 0 ? count : 0
        }
        try Runtime.check(code, "values", api)
        return values
    }

    /// The bytes in row-major order.
    public func bytes() throws(TorchError) -> [UInt8] {
        let api = try Runtime.api
        let size = count * (try dtype).width
        var code: Int32 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, filled in
            code = api.copy_bytes(raw, buffer.baseAddress, size)
            filled = code == 0 ? size : 0
        }
        try Runtime.check(code, "bytes", api)
        return bytes
    }

    /// The only number of a tensor with one element.
    public func item() throws(TorchError) -> Double {
        let api = try Runtime.api
        var value = 0.0
        try Runtime.check(api.item(raw, &value), "item", api)
        return value
    }

    /// Takes over the numbers of `source`, of the same shape, in place and outside autograd.
    public func overwrite(with source: Tensor) throws(TorchError) {
        let api = try Runtime.api
        try Runtime.check(api.overwrite(raw, source.raw), "overwrite", api)
    }

    // MARK: Gradients

    public var requiresGradient: Bool { (try? Runtime.api.requires_grad(raw)) ?? false }

    /// Asks for a gradient, in place.
    public func setRequiresGradient(_ required: Bool) throws(TorchError) {
        let api = try Runtime.api
        try Runtime.check(api.set_requires_grad(raw, required), "require gradient", api)
    }

    /// Adds the gradients of this scalar to every tensor that asks for one.
    public func backward() throws(TorchError) {
        let api = try Runtime.api
        try Runtime.check(api.backward(raw), "backward", api)
    }

    public func gradient() throws(TorchError) -> Tensor? {
        let api = try Runtime.api
        var out: ct_tensor?
        try Runtime.check(api.grad(raw, &out), "gradient", api)
        guard out != nil else { return nil }
        return try Tensor(owning: out, api)
    }

    /// Forgets the gradient, in place.
    public func clearGradient() throws(TorchError) { try Runtime.api.clear_grad(raw) }

    /// A copy that shares no memory and no history.
    public func copied() throws(TorchError) -> Tensor { try Op.clone(.tensor(detached())) }

    /// The same numbers, outside autograd.
    public func detached() throws(TorchError) -> Tensor { try Op.detach(.tensor(self)) }
}
