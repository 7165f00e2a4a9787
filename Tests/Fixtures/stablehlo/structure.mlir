module @structure {
  func.func public @main(%arg0: tensor<2x6xf32>, %arg1: tensor<2x3xf32>) -> (tensor<3x4xf32>, tensor<6x2xf32>, tensor<4x2x3xf32>, tensor<2x4xf32>, tensor<4x6xf32>, tensor<2x9xf32>, tensor<2x6xf32>, tensor<2x6xf32>, tensor<2x6xf32>) {
    %0 = stablehlo.reshape %arg0 : (tensor<2x6xf32>) -> tensor<3x4xf32>
    %1 = stablehlo.transpose %arg0, dims = [1, 0] : (tensor<2x6xf32>) -> tensor<6x2xf32>
    %2 = stablehlo.broadcast_in_dim %arg1, dims = [1, 2] : (tensor<2x3xf32>) -> tensor<4x2x3xf32>
    %3 = stablehlo.slice %arg0 [0:2, 1:5] : (tensor<2x6xf32>) -> tensor<2x4xf32>
    %4 = stablehlo.constant dense<0.0> : tensor<f32>
    %5 = stablehlo.pad %arg0, %4, low = [0, 1], high = [2, -1], interior = [0, 0] : (tensor<2x6xf32>, tensor<f32>) -> tensor<4x6xf32>
    %6 = stablehlo.concatenate %arg0, %arg1, dim = 1 : (tensor<2x6xf32>, tensor<2x3xf32>) -> tensor<2x9xf32>
    %7 = stablehlo.reverse %arg0, dims = [1] : tensor<2x6xf32>
    %8:2 = stablehlo.optimization_barrier %arg0, %arg1 : tensor<2x6xf32>, tensor<2x3xf32>
    return %0, %1, %2, %3, %5, %6, %7, %8#0, %arg0 : tensor<3x4xf32>, tensor<6x2xf32>, tensor<4x2x3xf32>, tensor<2x4xf32>, tensor<4x6xf32>, tensor<2x9xf32>, tensor<2x6xf32>, tensor<2x6xf32>, tensor<2x6xf32>
  }
}
