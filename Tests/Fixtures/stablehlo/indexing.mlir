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
    %16 = stablehlo.constant dense<0> : tensor<i32>
    %17 = stablehlo.dynamic_slice %arg0, %arg3, %16, sizes = [2, 3] : (tensor<5x3xf32>, tensor<i32>, tensor<i32>) -> tensor<2x3xf32>
    %18 = stablehlo.constant dense<2.0> : tensor<f32>
    %19 = stablehlo.broadcast_in_dim %18, dims = [] : (tensor<f32>) -> tensor<2x3xf32>
    %20 = stablehlo.multiply %17, %19 : tensor<2x3xf32>
    %21 = stablehlo.dynamic_update_slice %arg0, %20, %arg3, %16 : (tensor<5x3xf32>, tensor<2x3xf32>, tensor<i32>, tensor<i32>) -> tensor<5x3xf32>
    %22 = stablehlo.reshape %arg0 : (tensor<5x3xf32>) -> tensor<15xf32>
    %23 = stablehlo.constant dense<"0x010000000000000002000000"> : tensor<1x3xi32>
    %24 = stablehlo.constant dense<0> : tensor<i32>
    %25 = stablehlo.broadcast_in_dim %24, dims = [] : (tensor<i32>) -> tensor<1x3xi32>
    %26 = stablehlo.maximum %23, %25 : tensor<1x3xi32>
    %27 = stablehlo.constant dense<4> : tensor<i32>
    %28 = stablehlo.broadcast_in_dim %27, dims = [] : (tensor<i32>) -> tensor<1x3xi32>
    %29 = stablehlo.minimum %26, %28 : tensor<1x3xi32>
    %30 = stablehlo.constant dense<3> : tensor<i32>
    %31 = stablehlo.broadcast_in_dim %30, dims = [] : (tensor<i32>) -> tensor<1x3xi32>
    %32 = stablehlo.multiply %29, %31 : tensor<1x3xi32>
    %33 = stablehlo.iota dim = 1 : tensor<1x3xi32>
    %34 = stablehlo.constant dense<1> : tensor<i32>
    %35 = stablehlo.broadcast_in_dim %34, dims = [] : (tensor<i32>) -> tensor<1x3xi32>
    %36 = stablehlo.multiply %33, %35 : tensor<1x3xi32>
    %37 = stablehlo.add %32, %36 : tensor<1x3xi32>
    %38 = "stablehlo.gather"(%22, %37) <{dimension_numbers = #stablehlo.gather<offset_dims = [], collapsed_slice_dims = [0], start_index_map = [0], index_vector_dim = 2>, indices_are_sorted = false, slice_sizes = array<i64: 1>}> : (tensor<15xf32>, tensor<1x3xi32>) -> tensor<1x3xf32>
    return %0, %12, %17, %21, %38 : tensor<2x2x3xf32>, tensor<5x3xf32>, tensor<2x3xf32>, tensor<5x3xf32>, tensor<1x3xf32>
  }
}
