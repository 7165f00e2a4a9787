module @products {
  func.func public @main(%arg0: tensor<2x8x4xf32>, %arg1: tensor<3x2x6xf32>, %arg2: tensor<2x4x5xf32>) -> (tensor<2x8x5xf32>, tensor<2x8x6xf32>, tensor<2x8x4xf32>, tensor<3x2x6xf32>) {
    %0 = stablehlo.dot_general %arg0, %arg2, batching_dims = [0] x [0], contracting_dims = [2] x [1], precision = [DEFAULT, DEFAULT] : (tensor<2x8x4xf32>, tensor<2x4x5xf32>) -> tensor<2x8x5xf32>
    %1 = stablehlo.convolution(%arg0, %arg1) dim_numbers = [b, 0, f]x[0, i, o]->[b, 0, f], window = {stride = [1], pad = [[2, 0]], lhs_dilate = [1], rhs_dilate = [1], reverse = [false]} {batch_group_count = 1 : i64, feature_group_count = 2 : i64} : (tensor<2x8x4xf32>, tensor<3x2x6xf32>) -> tensor<2x8x6xf32>
    %2 = stablehlo.constant dense<1.0> : tensor<f32>
    %3 = stablehlo.broadcast_in_dim %2, dims = [] : (tensor<f32>) -> tensor<2x8x6xf32>
    %4 = stablehlo.multiply %3, %1 : tensor<2x8x6xf32>
    %5 = stablehlo.add %4, %4 : tensor<2x8x6xf32>
    %6 = stablehlo.reshape %arg1 : (tensor<3x2x6xf32>) -> tensor<3x2x2x3xf32>
    %7 = stablehlo.transpose %6, dims = [0, 2, 1, 3] : (tensor<3x2x2x3xf32>) -> tensor<3x2x2x3xf32>
    %8 = stablehlo.reshape %7 : (tensor<3x2x2x3xf32>) -> tensor<3x4x3xf32>
    %9 = stablehlo.reverse %8, dims = [0] : tensor<3x4x3xf32>
    %10 = stablehlo.convolution(%5, %9) dim_numbers = [b, 0, f]x[0, o, i]->[b, 0, f], window = {stride = [1], pad = [[0, 2]], lhs_dilate = [1], rhs_dilate = [1], reverse = [false]} {batch_group_count = 1 : i64, feature_group_count = 2 : i64} : (tensor<2x8x6xf32>, tensor<3x4x3xf32>) -> tensor<2x8x4xf32>
    %11 = stablehlo.convolution(%arg0, %5) dim_numbers = [f, 0, b]x[i, 0, o]->[0, b, f], window = {stride = [1], pad = [[2, 0]], lhs_dilate = [1], rhs_dilate = [1], reverse = [false]} {batch_group_count = 2 : i64, feature_group_count = 1 : i64} : (tensor<2x8x4xf32>, tensor<2x8x6xf32>) -> tensor<3x2x6xf32>
    return %0, %1, %10, %11 : tensor<2x8x5xf32>, tensor<2x8x6xf32>, tensor<2x8x4xf32>, tensor<3x2x6xf32>
  }
}
