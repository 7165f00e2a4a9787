module @indexing {
  func.func public @main(%arg0: tensor<5x3xf32>, %arg1: tensor<2x2xi32>, %arg2: tensor<2x2x3xf32>, %arg3: tensor<i32>) -> (tensor<2x2x3xf32>, tensor<5x3xf32>, tensor<2x3xf32>, tensor<5x3xf32>, tensor<1x3xf32>) {
    %0 = "stablehlo.gather"(%arg0, %arg1) <{dimension_numbers = #stablehlo.gather<offset_dims = [2], collapsed_slice_dims = [0], start_index_map = [0], index_vector_dim = 2>, indices_are_sorted = false, slice_sizes = array<i64: 1, 3>}> : (tensor<5x3xf32>, tensor<2x2xi32>) -> tensor<2x2x3xf32>
    %1 = stablehlo.constant dense<0.0> : tensor<f32>
    %2 = stablehlo.broadcast_in_dim %1, dims = [] : (tensor<f32>) -> tensor<5x3xf32>
    %3 = stablehlo.constant dense<0> : tensor<i32>
    %4 = stablehlo.broadcast_in_dim %3, dims = [] : (tensor<i32>) -> tensor<2x2xi32>
    %5 = stablehlo.maximum %arg1, %4 : tensor<2x2xi32>
    %6 = stablehlo.constant dense<4> : tensor<i32>
    %7 = stablehlo.broadcast_in_dim %6, dims = [] : (tensor<i32>) -> tensor<2x2xi32>
    %8 = stablehlo.minimum %5, %7 : tensor<2x2xi32>
    %9 = stablehlo.constant dense<1.0> : tensor<f32>
    %10 = stablehlo.broadcast_in_dim %9, dims = [] : (tensor<f32>) -> tensor<2x2x3xf32>
    %11 = stablehlo.multiply %10, %arg2 : tensor<2x2x3xf32>
    %12 = "stablehlo.scatter"(%2, %8, %11) <{indices_are_sorted = false, scatter_dimension_numbers = #stablehlo.scatter<update_window_dims = [2], inserted_window_dims = [0], scatter_dims_to_operand_dims = [0], index_vector_dim = 2>, unique_indices = false}> ({
    ^bb0(%13: tensor<f32>, %14: tensor<f32>):
      %15 = stablehlo.add %13, %14 : tensor<f32>
      stablehlo.return %15 : tensor<f32>
    }) : (tensor<5x3xf32>, tensor<2x2xi32>, tensor<2x2x3xf32>) -> tensor<5x3xf32>
    %16 = stablehlo.dynamic_slice %arg0, %arg3, %3, sizes = [2, 3] : (tensor<5x3xf32>, tensor<i32>, tensor<i32>) -> tensor<2x3xf32>
    %17 = stablehlo.constant dense<2.0> : tensor<f32>
    %18 = stablehlo.broadcast_in_dim %17, dims = [] : (tensor<f32>) -> tensor<2x3xf32>
    %19 = stablehlo.multiply %16, %18 : tensor<2x3xf32>
    %20 = stablehlo.dynamic_update_slice %arg0, %19, %arg3, %3 : (tensor<5x3xf32>, tensor<2x3xf32>, tensor<i32>, tensor<i32>) -> tensor<5x3xf32>
    %21 = stablehlo.reshape %arg0 : (tensor<5x3xf32>) -> tensor<15xf32>
    %22 = stablehlo.constant dense<"0x010000000000000002000000"> : tensor<1x3xi32>
    %23 = stablehlo.broadcast_in_dim %3, dims = [] : (tensor<i32>) -> tensor<1x3xi32>
    %24 = stablehlo.maximum %22, %23 : tensor<1x3xi32>
    %25 = stablehlo.broadcast_in_dim %6, dims = [] : (tensor<i32>) -> tensor<1x3xi32>
    %26 = stablehlo.minimum %24, %25 : tensor<1x3xi32>
    %27 = stablehlo.constant dense<3> : tensor<i32>
    %28 = stablehlo.broadcast_in_dim %27, dims = [] : (tensor<i32>) -> tensor<1x3xi32>
    %29 = stablehlo.multiply %26, %28 : tensor<1x3xi32>
    %30 = stablehlo.iota dim = 1 : tensor<1x3xi32>
    %31 = stablehlo.constant dense<1> : tensor<i32>
    %32 = stablehlo.broadcast_in_dim %31, dims = [] : (tensor<i32>) -> tensor<1x3xi32>
    %33 = stablehlo.multiply %30, %32 : tensor<1x3xi32>
    %34 = stablehlo.add %29, %33 : tensor<1x3xi32>
    %35 = "stablehlo.gather"(%21, %34) <{dimension_numbers = #stablehlo.gather<offset_dims = [], collapsed_slice_dims = [0], start_index_map = [0], index_vector_dim = 2>, indices_are_sorted = false, slice_sizes = array<i64: 1>}> : (tensor<15xf32>, tensor<1x3xi32>) -> tensor<1x3xf32>
    return %0, %12, %16, %20, %35 : tensor<2x2x3xf32>, tensor<5x3xf32>, tensor<2x3xf32>, tensor<5x3xf32>, tensor<1x3xf32>
  }
}
