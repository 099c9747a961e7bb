import Testing

/// One after another: libtorch's generator and number of threads belong to the whole process.
@Suite(.serialized, .usesTorch)
enum UsingTorch {}
