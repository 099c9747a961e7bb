import Torch

extension ModelFamily {
    static let caser = ModelFamily(
        name: "caser", summary: "horizontal filters with pooling and vertical filters over the last events",
        reference: "Tang and Wang 2018 (Caser)",
        options: [.hidden, .historyDropout, .historyLength]
    ) { sizes throws(TorchError) in
        FamilyParts(history: try CaserEncoder(sizes))
    }
}

/// The last eight events as an image, for every place of a history at once.
///
/// Horizontal filters of heights 1 to 4 span all dimensions and keep their largest answer within the image;
/// vertical filters are weighted sums of its rows.
struct CaserEncoder: HistoryEncoder {
    static let image = 8
    static let heights = [1, 2, 3, 4]

    let horizontal: [Convolution]
    let vertical: Convolution
    let output: Linear
    let filters: Int
    let dropout: Dropout

    init(_ sizes: FamilySizes) throws(TorchError) {
        let options = sizes.options
        filters = max(1, options.hidden / 4)
        var horizontal: [Convolution] = []
        for height in Self.heights {
            horizontal.append(try Convolution(sizes.events, filters, width: height, causal: true))
        }
        self.horizontal = horizontal
        let verticalFilters = 4
        vertical = try Convolution(1, verticalFilters, width: Self.image, causal: true)
        output = try Linear(Self.heights.count * filters + verticalFilters * sizes.events, options.hidden)
        dropout = Dropout(options.historyDropout)
    }

    func callAsFunction(_ history: HistorySequence, training: Bool) throws(TorchError) -> EncodedHistory {
        // [rows, D] -> [B, D, L]
        let x = try history.padded(history.events.data).transposed(1, 2)
        let (b, d, l) = (x.shape[0], x.shape[1], x.shape[2])
        var parts: [Tensor] = []
        for (height, convolution) in zip(Self.heights, horizontal) {
            // A filter of height h has image - h + 1 places within the image.
            parts.append(try convolution(x).relu().causalMaximum(width: Self.image - height + 1))
        }
        // One weight a row for all dimensions: each dimension is a sequence of its own.
        parts.append(try vertical(x.reshaped([b * d, 1, l])).reshaped([b, d * 4, l]))
        let features = try history.packed(Tensor.concatenated(parts, 1).transposed(1, 2))
        return EncodedHistory(try output(dropout(features, training: training)).relu())
    }
}
